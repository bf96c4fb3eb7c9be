"""Jobs: what is accepted, and how a mistake is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugin_core.batch.schema import shots_schema
from plugin_core.errors import SettingsError
from plugin_core.job.job import Job
from plugin_core.job.settings import Run, Settings, Shot

DOCS = Path(__file__).parents[3] / "docs"
SHOT = {"plate": "p.####.exr", "matte": "m.####.exr", "output": "o.####.exr"}


def job_file(folder: Path, fields: object) -> Path:
    path = folder / "job.json"
    path.write_text(fields if isinstance(fields, str) else json.dumps(fields), "utf-8")
    return path


def test_a_job_with_only_its_pictures_takes_the_defaults(tmp_path):
    job = Job.read(job_file(tmp_path, {"shot": SHOT}))
    assert job.settings == Settings()
    assert job.run == Run()


def test_cuts_are_taken_as_text_or_numbers():
    assert Shot(**SHOT, cuts="1042, 1077").cuts == (1042, 1077)
    assert Shot(**SHOT, cuts=(5,)).cuts == (5,)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"shot": SHOT, "settings": {"gorw": 3}}, "Settings has no field 'gorw'; did you mean 'grow'?"),
        ({"shot": {**SHOT, "outptu": 1}}, "Shot has no field 'outptu'; did you mean 'output'?"),
        ({"shot": SHOT, "seting": {}}, "Job has no field 'seting'; did you mean 'settings'?"),
        (
            {"shot": SHOT, "settings": {"feather": -1}},
            "'feather' should be greater than or equal to 0, got -1",
        ),
        ({"shot": SHOT, "settings": {"grow": "much"}}, "'grow' should be a valid integer"),
        ({"shot": {"plate": "p.####.exr", "matte": "m"}}, "Shot needs the field 'output'"),
        ({"version": 2, "shot": SHOT}, "has version 2, this Cleanplate reads version 1"),
        ([1], "must hold one JSON object, got list"),
        ("{not json", ", line 1: not JSON"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_that_names_the_file(tmp_path, fields, told):
    with pytest.raises(SettingsError) as caught:
        Job.read(job_file(tmp_path, fields))
    assert told in str(caught.value)
    assert "job.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_job_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="Can't read job"):
        Job.read(tmp_path / "none.json")


def test_a_misspelt_setting_is_refused_in_python_too():
    with pytest.raises(SettingsError, match="did you mean 'feather'"):
        Settings(faether=3)


def test_the_published_schemas_are_the_ones_in_use():
    """Both are made by `make generated`."""
    assert json.loads((DOCS / "job.schema.json").read_text("utf-8")) == Job.model_json_schema()
    assert json.loads((DOCS / "shots.schema.json").read_text("utf-8")) == shots_schema()


@pytest.mark.parametrize(("given", "taken"), [(16, "16"), ("half", "half"), (None, None)])
def test_a_bit_depth_may_be_a_number(given, taken):
    assert Shot(plate="p.#.exr", matte="m.png", output="o", bit_depth=given).bit_depth == taken


@pytest.mark.parametrize(("given", "taken"), [(-2, "-2"), ("+3", "+3"), ("auto", "auto")])
def test_an_exposure_may_be_a_number(given, taken):
    assert Settings(exposure=given).exposure == taken


@pytest.mark.parametrize("given", ["bright", "1.5", 21, True])
def test_an_exposure_is_whole_stops(given):
    with pytest.raises(SettingsError, match="exposure"):
        Settings(exposure=given)

"""Options: every field of a job can be given to every command that takes a job, and arrives there."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import LISTED, understand
from plugin_core.cli import _parser
from plugin_core.cli.options import add_job, job_of
from plugin_core.cli.parser import Parser
from plugin_core.errors import SettingsError
from plugin_core.job.catalog import catalog
from plugin_core.job.settings import PARTS, Run, Shot

FIELDS: dict[str, dict[str, Any]] = catalog()["fields"]
TEXTS = {
    "layers": "patch",
    "region": "full",
    "exposure": "-2",
    "cuts": "1012,1040",
    "frames": "1001-1009",
    "chunk": "1001-1005",
    "aspect": "9:16",
    "size": "90x160",
    "squeeze": "0.5",
}
"""Values of texts that must have a certain form."""

MODEL = [name for name, field in FIELDS.items() if field["group"] == "model"]
LOOK = [name for name, field in FIELDS.items() if field["part"] in ("shot", "settings")]
RUN = [name for name, field in FIELDS.items() if field["part"] == "run"]
PART = {
    part: [name for name, field in FIELDS.items() if field["part"] == part]
    for part in ("restore", "retarget")
}
RESTORED = [
    *("plate", "matte", "output", "frames", "colorspace", "ocio_config", "view", "cuts", "compression"),
    *("bit_depth", "matte_channel", "matte_invert", "matte_threshold", "matte_fit", "resume", "overwrite"),
    *("keep_edited", "chunk", "wait_seconds", "progress_file", "cancel_file", "threads"),
]
TAKEN = {
    "render": LOOK + RUN,
    "probe": LOOK + MODEL + PART["retarget"],
    "qc": LOOK,
    "restore": RESTORED + PART["restore"],
    "retarget": LOOK + [name for name in RUN if FIELDS[name]["group"] != "chunk"] + PART["retarget"],
}
"""What each command takes of a job."""

SHOT = ["--plate", "p.####.exr", "--matte", "m.####.exr", "--output", "o.####.exr"]


def another(name: str) -> str:
    """A value as it is typed, other than the default; a switch's is empty."""
    field = FIELDS[name]
    if field["kind"] == "switch":
        return ""
    if field["kind"] == "choice":
        return next(choice for choice in reversed(field["choices"]) if choice != field["default"])
    if field["kind"] in ("int", "float"):
        return str(field["maximum"])
    return TEXTS.get(name, f"a {name}")


def typed(name: str) -> list[str]:
    value = another(name)
    return [FIELDS[name]["option"], value] if value else [FIELDS[name]["option"]]


def test_a_patch_without_a_name_is_a_layer():
    for words, patch, layers in (
        (["--patch"], None, ("patch",)),
        (["--patch", "--layers", "source"], None, ("source", "patch")),
        (["--layers", "source", "--patch", "p.####.exr"], "p.####.exr", ("source",)),
    ):
        shot = job(["render", *SHOT, *words])["shot"]
        assert (shot["patch"], shot["layers"]) == (patch, layers)


def defaults() -> dict[str, Any]:
    shot = Shot(plate="p.####.exr", matte="m.####.exr", output="o.####.exr")
    others = {part: of() for part, of in PARTS.items() if part != "shot"}
    return {part: of.model_dump() for part, of in {"shot": shot, **others}.items()}


def job(words: list[str]) -> dict[str, Any]:
    do = words[0] if words[0] in PART else None
    return job_of(_parser().parse_args(words), do=do).model_dump(exclude={"version", "do"})


@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command, names in TAKEN.items() for name in names]
)
def test_every_option_reaches_the_job_and_nothing_else_moves(command, name):
    format_ = name not in ("aspect", "size", "squeeze") and command == "retarget"
    found = job([command, *SHOT, *typed(name), *(["--aspect", "9:16"] if format_ else [])])
    part = FIELDS[name]["part"]
    if format_:
        found["retarget"]["aspect"] = None
    value = found[part].pop(name)
    assert value != defaults()[part][name]
    expected = defaults()
    del expected[part][name]
    expected[part] |= FIELDS[name].get("presets", {}).get(value, {})
    assert found == expected
    lists = ("(1012, 1040)", "('patch',)")
    assert str(value) in (another(name), "True", *lists, f"{another(name)}.0")


@pytest.mark.parametrize("name", [name for names in LISTED.values() for name in names])
def test_every_field_of_a_list_reaches_its_job(tmp_path, name):
    listed = {"name": "sh010", "plate": "p.####.exr", "matte": "m.####.exr", "output": "o.####.exr"}
    (tmp_path / "shots.json").write_text(json.dumps({"shots": [listed]}))
    shots, bad = understand(read_shot_list(tmp_path / "shots.json"), {name: another(name) or "true"})
    assert not bad
    given = shots[0].job.model_dump(exclude_unset=True)
    assert name in given[FIELDS[name]["part"]]


@pytest.mark.parametrize("command", TAKEN)
def test_no_command_takes_more_of_a_job_than_it_says(command):
    for name in FIELDS:
        if name not in TAKEN[command]:
            with pytest.raises(SystemExit):
                _parser().parse_args([command, *SHOT, *typed(name)])


def test_options_override_the_fields_of_a_job_json(tmp_path):
    fields = {
        "shot": {"plate": "p.####.exr", "matte": "m.####.exr", "output": "o.####.exr"},
        "settings": {"grow": 4, "grain": "auto", "matte_invert": True},
        "run": {"resume": True},
    }
    path = tmp_path / "job.json"
    path.write_text(json.dumps(fields))
    asked = job(["render", "--job", str(path), "--grow", "8", "--no-matte-invert", "--no-resume"])
    assert asked["settings"] | {"grow": 8, "grain": "auto", "matte_invert": False} == asked["settings"]
    assert asked["run"]["resume"] is False
    path.write_text(json.dumps({"shot": [], "settings": {}}))
    with pytest.raises(SettingsError, match=r"field 'shot' must be an object, got \[\]"):
        job(["render", "--job", str(path)])


def test_a_lists_paths_begin_at_its_folder(tmp_path):
    listed = {"name": "sh010", "plate": "p.####.exr", "matte": "m.####.exr", "output": "o.####.exr"}
    (tmp_path / "shots.json").write_text(json.dumps({"shots": [{**listed, "debug": "look/{name}"}]}))
    (shot,), _ = understand(read_shot_list(tmp_path / "shots.json"))
    assert shot.job.run.debug == str(tmp_path / "look" / "sh010")
    assert shot.job.run.model == "vinet"


def test_a_command_without_a_job_has_the_defaults():
    demo = _parser().parse_args(["demo"])
    assert (demo.model, demo.device) == (Run().model, Run().device)


def test_numbers_may_be_given_as_words():
    assert job(["render", *SHOT, "--propagate", "off"])["settings"]["propagate"] == 0
    assert job(["probe", *SHOT, "--propagate", "on"])["settings"]["propagate"] == 48
    with pytest.raises(SettingsError, match="--propagate should be a valid integer"):
        job(["render", *SHOT, "--propagate", "much"])


def test_help_has_texts_choices_and_defaults():
    parser = Parser(argument_default=argparse.SUPPRESS)
    add_job(parser, "model", "run", "chunk", "damage", "format")
    told = " ".join(parser.format_help_all().split())
    for name, field in FIELDS.items():
        words = [field["text"], *field.get("choices", {}).values(), str(field.get("unset", ""))]
        assert all(" ".join(word.split()) in told for word in words), name
    assert "negative shrinks it." in told and "(default: 0.05)" in told and "(default: all cores)" in told


def test_the_catalog_on_disk_is_the_declarations():
    path = Path(__file__).parents[3] / "plugin_core" / "job" / "settings.json"
    assert json.loads(path.read_text("utf-8")) == catalog()

"""Settings files and variables: which count, which win, and what is refused with its line."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pytest

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import refuse_bad, understand
from plugin_core.cli import _parser, main
from plugin_core.cli.options import job_of
from plugin_core.errors import MistakesError, SettingsError
from plugin_core.job.config import FILE_NAME, from_environment, from_files, read_file
from plugin_core.job.job import Job
from plugin_core.job.settings import Settings


@pytest.fixture
def show(tmp_path, monkeypatch) -> Path:
    """A show with a shot, a user with a file of his own, and no variables."""
    for name in [name for name in os.environ if name.startswith("CLEANPLATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "alpha" / "sh010").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    written(tmp_path / "user" / "cleanplate", 'device = "cpu"\ngrow = 1\nfeather = 1\nmatte_union = 1\n')
    written(tmp_path / "alpha", 'grow = 4\nfeather = 5\nocio_config = "color/c.ocio"\nmodel = "./net"\n')
    written(tmp_path / "alpha" / "sh010", "feather = 3\n")
    return tmp_path / "alpha"


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(text)
    return folder / FILE_NAME


def options(show: Path, *more: str) -> argparse.Namespace:
    given = ["--plate", str(show / "p.####.exr"), "--matte", "m.####.exr"]
    return _parser().parse_args(["render", *given, "--output", str(show / "sh010" / "c.####.exr"), *more])


def test_what_is_nearer_wins_and_what_is_typed_wins_over_all(show, monkeypatch, capsys):
    job = job_of(options(show))
    found = job.settings
    assert (found.grow, found.feather, found.matte_union, job.run.device) == (4, 3, 1, "cpu")
    assert job.shot.ocio_config == str(show / "color" / "c.ocio") and job.run.model == str(show / "net")
    said = capsys.readouterr().err.splitlines()
    assert f"cleanplate: {show / 'sh010' / FILE_NAME} sets feather 3" in said and len(said) == 3
    monkeypatch.setenv("CLEANPLATE_FEATHER", "4")
    monkeypatch.setenv("CLEANPLATE_GROW", "7")
    monkeypatch.setenv("CLEANPLATE_MATTE_INVERT", "true")
    job = job_of(options(show, "--grow", "0", "-q"))
    assert (job.settings.grow, job.settings.feather, job.settings.matte_invert) == (0, 4, True)
    assert capsys.readouterr().err == ""
    # The job that is written for a host or a farm has all of it.
    assert job.model_dump(exclude_unset=True)["settings"]["feather"] == 4
    assert Job.model_validate(job.model_dump(exclude_unset=True)) == job


def test_files_are_looked_for_around_the_output_then_the_plate_then_here(show, tmp_path):
    away = str(tmp_path / "out" / "c.####.exr")
    assert job_of(options(show, "--output", away)).settings.feather == 5
    words = ["render", "--plate", str(tmp_path / "p.####.exr"), "--matte", "m.####.exr", "--output", away]
    assert job_of(_parser().parse_args(words)).settings.feather == 1
    written(tmp_path / "elsewhere", "feather = 9\n")
    assert job_of(_parser().parse_args(words)).settings.feather == 9


def test_no_file_is_read_where_none_is_wanted_and_another_where_it_is_named(show, tmp_path, monkeypatch):
    monkeypatch.setenv("CLEANPLATE_CONFIG", "off")
    assert job_of(options(show)).settings == Settings()
    other = written(tmp_path / "other", "matte_union = 7\n")
    monkeypatch.setenv("CLEANPLATE_CONFIG", str(other))
    assert job_of(options(show)).settings.matte_union == 7
    monkeypatch.setenv("CLEANPLATE_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SettingsError, match=r"CLEANPLATE_CONFIG names .*there is no such file"):
        job_of(options(show))


def test_a_quality_takes_with_it_what_it_sets(show):
    written(show / "sh010", "propagate = 20\nworking_size = 512\n")
    assert job_of(options(show)).settings.propagate == 20
    draft = job_of(options(show, "--quality", "draft")).settings
    assert (draft.propagate, draft.working_size) == (0, 256)
    assert job_of(options(show, "--quality", "draft", "--propagate", "8")).settings.propagate == 8


def test_a_job_json_and_a_list_do_not_depend_on_who_runs_them(show, tmp_path, monkeypatch):
    shot = {"plate": str(show / "p.####.exr"), "matte": "m.####.exr", "output": str(show / "c.####.exr")}
    (tmp_path / "job.json").write_text(json.dumps({"shot": shot}))
    monkeypatch.setenv("CLEANPLATE_GROW", "9")
    monkeypatch.setenv("CLEANPLATE_CONFIG", "off")
    job = job_of(_parser().parse_args(["render", "--job", str(tmp_path / "job.json")]))
    assert job == Job(shot=shot)
    listed = [{**shot, "name": "a"}, {**shot, "name": "b", "grow": "5", "output": str(show / "sh010")}]
    (show / "shots.json").write_text(json.dumps({"shots": listed}))
    (a, b), _ = understand(read_shot_list(show / "shots.json"))
    assert (a.job.settings.grow, a.job.settings.feather) == (4, 5)
    assert (b.job.settings.grow, b.job.settings.feather, b.job.settings.matte_union) == (5, 3, 0)
    written(show / "sh010", "feathr = 3\n")
    _, bad = understand(read_shot_list(show / "shots.json"))
    with pytest.raises(
        MistakesError, match=r"sh010/cleanplate.toml, line 1: there is no setting 'feathr'; did"
    ):
        refuse_bad(bad)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\ngrwo = 2\n", r"cleanplate.toml, line 2: there is no setting 'grwo'; did you mean 'grow'\?"),
        ("[settings]\ngrow = 2\n", r"line 1: there is no setting 'settings'"),
        ("grow = 2\nfeather = 'much'\n", r"line 2: Settings field 'feather' should be a valid integer"),
        ("grow = 9999\n", r"line 1: Settings field 'grow' should be less than or equal to 512, got 9999"),
        ("grow = nan\n", r"line 1: 'grow' is no finite number"),
        ("resume = true\n", r"line 1: 'resume' belongs to one render of one shot"),
        ("plate = 'p.exr'\n", r"line 1: 'plate' belongs to one render of one shot"),
        ("grow = 2\ngrow = 3\n", r"line 2: not TOML: Cannot overwrite a value"),
        ("grow = \n", r"line 1: not TOML: Invalid value"),
        (f"cuts = {'[' * 5000}", r"nested more than 64 deep"),
        (f"cuts = {'[' * 99}1{']' * 99}", r"line 1: nested more than 64 deep"),
        (f"grow = {'9' * 5000}", r"a number has too many digits"),
        ("#" * 70_000, r"70000 characters, and 65536 is the most that is read"),
        ("colorspace = '\0'", r"not TOML"),
    ],
)
def test_what_is_refused(tmp_path, text, told):
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=told) as caught:
        read_file(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 700


def test_files_that_are_no_text_or_can_not_be_read(tmp_path):
    path = written(tmp_path, "")
    path.write_bytes(b"grow = 1 # \xff")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        read_file(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="a pipe or a device"):
        read_file(tmp_path / "pipe")
    path.write_bytes("\ufeffgrow = 1".encode())
    assert from_files([path])["grow"].value == 1


def test_variables_are_checked_and_misspelt_ones_told(caplog):
    with pytest.raises(SettingsError, match=r"\$CLEANPLATE_GROW: Settings field 'grow' should be"):
        from_environment({"CLEANPLATE_GROW": "much"})
    assert from_environment({"CLEANPLATE_GROW": "", "CLEANPLATE_MODELS": "x", "CLEANPLATE_CONFIG": "x"}) == {}
    assert from_environment({"CLEANPLATE_FETHER": "2", "CLEANPLATE_SHARED": "/x"}) == {}
    assert caplog.messages == ["CLEANPLATE_FETHER sets nothing; did you mean CLEANPLATE_FEATHER?"]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_a_strangers_file_in_a_folder_for_everybody_is_not_read(show, caplog):
    shared = show / "sh010"
    shared.chmod(0o1777)
    os.chown(shared / FILE_NAME, 12345, -1)
    assert job_of(options(show)).settings.feather == 5
    assert "belongs to somebody else" in caplog.messages[0]


def test_the_command_says_what_counts_and_why(show, capsys, monkeypatch):
    monkeypatch.setenv("CLEANPLATE_DEVICE", "cuda:1")
    words = ["config", "--output", str(show / "sh010" / "c.####.exr")]
    assert main([*words, "--grow", "8"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert (
        told[0] == f"file: {show / 'sh010' / FILE_NAME}" and len([one for one in told if "file:" in one]) == 3
    )
    assert [one.split() for one in told if one.startswith("device")] == [
        ["device", "cuda:1", "$CLEANPLATE_DEVICE"]
    ]
    assert not any(one.startswith("grow") for one in told)
    assert main([*words, "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["settings"]["grow"] == {"value": 4, "from": f"{show / FILE_NAME}, line 1"}
    assert main(["config", "--job", "job.json"]) == 2
    assert "complete by itself" in capsys.readouterr().err

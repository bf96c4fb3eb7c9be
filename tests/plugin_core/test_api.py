"""The Python door: what is public stands in docs/api.md, and does what is said there."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import setuptools

import cleanplate
import plugin_core
from plugin_core import (
    Job,
    JsonLines,
    Model,
    Reporters,
    Run,
    Settings,
    Shot,
    Stop,
    forecast_job,
    probe_job,
    qc_job,
)
from plugin_core.errors import Interrupted, MissingFramesError, SettingsError
from tests.plugin_core.shots import QUICK, ShotOnDisk, make_shot
from tests.plugin_core.toy_network import ToyNetwork

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
PUBLIC, FOR_MODELS = PAGE.split("## For the models folder")


def listed(text: str) -> set[str]:
    """What stands in the first column of the tables."""
    return set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE))


@pytest.fixture
def shot(tmp_path: Path) -> ShotOnDisk:
    return make_shot(tmp_path, last=3)


@pytest.fixture
def model() -> Model:
    return Model(ToyNetwork(), Run(model="toy", device="cpu", threads=2))


def test_every_export_is_listed_and_every_name_listed_exists() -> None:
    names = listed(PUBLIC) - {"errors", "sample"}
    assert names == set(plugin_core.__all__)
    assert listed(PUBLIC) == set(cleanplate.__all__) <= set(dir(cleanplate))
    assert all(getattr(cleanplate, name) is getattr(plugin_core, name) for name in names)
    classes = {name: of for name, of in vars(cleanplate.errors).items() if isinstance(of, type)}
    assert {name for name, of in classes.items() if issubclass(of, cleanplate.CleanplateError)} <= names
    with pytest.raises(AttributeError, match="module 'cleanplate' has no attribute 'Shots'"):
        cleanplate.Shots  # noqa: B018
    assert all(getattr(plugin_core, name) is not None for name in names)
    assert set(plugin_core.__all__) <= set(dir(plugin_core))
    for module in listed(FOR_MODELS):
        assert importlib.util.find_spec(module), module
    with pytest.raises(AttributeError, match="has no attribute 'Shots'"):
        plugin_core.Shots  # noqa: B018


def test_every_function_named_of_the_sample_exists() -> None:
    row = next(line for line in PUBLIC.splitlines() if line.startswith("| `sample`"))
    names = re.findall(r"`(\w+)\(\)`", row)
    assert len(names) == 3
    assert all(Path(getattr(cleanplate.sample, name)()).parent.is_dir() for name in names)


def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import cleanplate\n"
        "new = {name for name in set(sys.modules) - before if name.startswith('plugin_core')}\n"
        "assert new == {'plugin_core', 'plugin_core._version'}, new\n"
        "assert not {'numpy', 'pydantic', 'onnxruntime', 'OpenImageIO'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def imports_of(path: Path) -> set[str]:
    """Modules of the core that a file imports, and public names as `plugin_core`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "plugin_core"}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if node.module == "plugin_core":
                unknown = {alias.name for alias in node.names} - set(plugin_core.__all__)
                found |= {f"plugin_core.{name}" for name in unknown}
            elif node.module.startswith("plugin_core."):
                found.add(node.module)
    return found - {"plugin_core"}


def test_the_models_import_what_is_public_and_the_modules_named_for_them_and_no_more() -> None:
    files = sorted((ROOT / "models").rglob("*.py"))
    used = {module for path in files for module in imports_of(path)}
    assert used - {"plugin_core.errors", "plugin_core.sample"} == listed(FOR_MODELS), (
        "name it in docs/api.md, or take it out there"
    )


def test_the_example_is_short_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    made = make_shot(tmp_path / "made", last=2)
    (tmp_path / "sh010").mkdir()
    for kind in ("plate", "matte"):
        for frame in (1, 2):
            file = getattr(made, kind)(frame)
            file.rename(tmp_path / "sh010" / file.name)
    code = PAGE.split("```python\n")[1].split("```")[0].replace("matte.####.exr", "matte.####.png")
    assert len([line for line in code.splitlines() if line]) <= 10
    exec(compile(code, "docs/api.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("Would render frames 1-2 (2 of 2)") and "\n2 " in printed
    assert (tmp_path / "sh010" / "clean.0002.exr").is_file()


def test_a_render_takes_a_job_or_its_parts(shot: ShotOnDisk, model: Model) -> None:
    job = Job(shot=shot.shot("a"), settings=QUICK, run=Run(chunk="1-2"))
    ways = {
        "a": model.render(job),
        "b": model.render(shot.shot("b"), QUICK, Run(chunk="1-2", checkpoint_every=2)),
        "c": model.render(shot.shot("c"), QUICK, chunk="1-2"),
        "d": model.render(Job(shot=shot.shot("d"), settings=QUICK), chunk="1-2"),
    }
    for name, frames in ways.items():
        assert [done.frame for done in frames] == [1, 2]
        assert not shot.written(3, name).exists()
        assert shot.written(2, name).read_bytes() == shot.written(2, "a").read_bytes()


def test_a_field_that_is_unknown_or_out_of_range_is_named(shot: ShotOnDisk, model: Model) -> None:
    with pytest.raises(SettingsError, match="no field 'resum'; did you mean 'resume'"):
        model.render(shot.shot(), resum=True)
    with pytest.raises(SettingsError, match="'checkpoint_every' should be"):
        model.render(shot.shot(), checkpoint_every=0)
    with pytest.raises(SettingsError, match="give none beside it"):
        model.render(Job(shot=shot.shot()), QUICK)


def test_what_was_settled_when_the_model_was_opened_is_not_dropped(shot: ShotOnDisk, model: Model) -> None:
    for name, asked in (("model", "other"), ("device", "cuda:1"), ("threads", 4)):
        with pytest.raises(SettingsError, match=f"asks for {name} {asked!r}, and this model was opened with"):
            model.render(shot.shot(), QUICK, Run(**{name: asked}))
    run = Run(model="toy", device="cpu", threads=2)
    assert len(list(model.render(shot.shot(), QUICK, run))) == 3


def test_progress_is_told_to_the_file_too(shot: ShotOnDisk, model: Model, tmp_path: Path) -> None:
    class Heard:
        def __init__(self) -> None:
            self.events: list[str] = []

        def report(self, event: dict[str, object]) -> None:
            self.events.append(str(event["event"]))

        def close(self) -> None:
            self.events.append("closed")

    heard = Heard()
    for name, reporters in (("a", None), ("b", Reporters([heard]))):
        file = tmp_path / f"{name}.jsonl"
        list(model.render(shot.shot(name), QUICK, reporters=reporters, progress_file=str(file)))
        events = [json.loads(line)["event"] for line in file.read_text("utf-8").splitlines()]
        assert "start" in events and events[-1] == "done" and events.count("frame") == 3
    assert heard.events == events, "and stays open"


def test_a_failed_render_says_so_to_the_file(shot: ShotOnDisk, model: Model, tmp_path: Path) -> None:
    shot.plate(2).unlink()
    file = tmp_path / "p.jsonl"
    with pytest.raises(MissingFramesError):
        list(model.render(shot.shot(), QUICK, progress_file=str(file)))
    assert json.loads(file.read_text("utf-8").splitlines()[-1])["exit_code"] == 3


def test_a_render_stops_by_its_stop_or_its_cancel_file(
    shot: ShotOnDisk, model: Model, tmp_path: Path
) -> None:
    stop = Stop()
    stop.request()
    with pytest.raises(Interrupted):
        list(model.render(shot.shot("a"), QUICK, stop=stop))
    (tmp_path / "cancel").touch()
    with pytest.raises(Interrupted):
        list(model.render(shot.shot("b"), QUICK, cancel_file=str(tmp_path / "cancel")))


def test_a_shot_is_looked_at_before_and_checked_after(shot: ShotOnDisk, model: Model, tmp_path: Path) -> None:
    job = Job(shot=shot.shot(), settings=QUICK)
    assert forecast_job(job).action == "start"
    told: list[str] = []
    report = probe_job(job, quick=True, tell=told.append)
    assert report.problem is None and report.frames is not None and told
    list(model.render(job))
    result = qc_job(job, sheet=tmp_path / "sheet.png", tell=told.append)
    assert len(result.lines()) > 3 and "frame 3" in told
    assert (tmp_path / "sheet.png").is_file()


def test_json_lines_are_public(tmp_path: Path) -> None:
    reporter = JsonLines.file(tmp_path / "deep" / "p.jsonl")
    reporter.report({"event": "note", "message": "ä"})
    reporter.close()
    assert json.loads((tmp_path / "deep" / "p.jsonl").read_text("utf-8"))["message"] == "ä"


def test_paths_and_ranges_are_taken_as_python_has_them(tmp_path: Path) -> None:
    given = {"plate": tmp_path / "p.####.exr", "matte": Path("m.mov"), "output": tmp_path}
    shot = Shot(**given, frames=(1001, 1100), ocio_config=tmp_path / "c.ocio")
    assert (shot.plate, shot.matte) == (str(given["plate"]), "m.mov") and shot.frames == "1001-1100"
    assert shot == Shot(
        **{name: str(path) for name, path in given.items()},
        frames=range(1001, 1101),
        ocio_config=str(tmp_path / "c.ocio"),
    )
    negative = Shot(**given, frames=(-5, -2)).frame_range()
    assert negative is not None and list(negative) == [-5, -4, -3, -2]
    assert Run(chunk=(1, 2), cancel_file=tmp_path / "stop", model=tmp_path).chunk == "1-2"
    assert Job(shot=shot) == Job.read(_written(tmp_path / "job.json", Job(shot=shot)))
    for bad in ((1, 2, 3), (1.5, 2), range(1, 9, 2), (True, 2)):
        with pytest.raises(SettingsError, match="'frames' should be"):
            Shot(**given, frames=bad)
    with pytest.raises(SettingsError, match="'grow' should be"):
        Settings(grow=tmp_path)


def _written(path: Path, job: Job) -> str:
    path.write_text(job.model_dump_json(), "utf-8")
    return str(path)


def test_notes_go_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "cleanplate")
    Reporters([]).note("8 bit are less than 16")
    assert [(one.name, one.message) for one in caplog.records] == [
        ("cleanplate.notes", "8 bit are less than 16")
    ]


def test_the_package_runs_the_command(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["cleanplate", "--version"])
    with pytest.raises(SystemExit):
        runpy.run_module("cleanplate", run_name="__main__")
    assert capsys.readouterr().out == f"cleanplate {cleanplate.__version__}\n"


def test_the_wheel_has_the_package_and_no_hosts_own_names() -> None:
    asked: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(setuptools, "setup", lambda **given: asked.update(given))
        runpy.run_path(str(ROOT / "setup.py"))
    tops = {name.split(".")[0] for name in asked["packages"]}
    assert tops == {"cleanplate", "plugin_core", "cleanplate_models", "cleanplate_hosts", "cleanplate_pages"}
    assert (ROOT / "cleanplate" / "py.typed").is_file()

"""Installing into Blender: unpacked once, undone whole, nothing of the user's touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugin_core.cli import main
from plugin_core.install.blender import _found
from plugin_core.install.change import own_command

EXTENSION = "extensions/user_default/cleanplate"
NOTE = "extensions/.user/user_default/cleanplate/installed.json"


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "Zoë's home" / "blender" / "4.5"
    other = path / "extensions" / "user_default" / "other"
    other.mkdir(parents=True)
    (other / "blender_manifest.toml").write_text("")
    return path


def install(folder: Path, *options: str) -> int:
    return main(["install", "blender", "--folder", str(folder), *options])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_unpacked_and_undone(folder, capsys):
    before = files(folder)
    assert install(folder) == 0
    assert "tick Cleanplate" in capsys.readouterr().out
    there = files(folder)
    assert {f"{EXTENSION}/blender_manifest.toml", f"{EXTENSION}/__init__.py", NOTE} < there
    assert not any("__pycache__" in name or name.endswith(".md") for name in there)
    assert Path(json.loads((folder / NOTE).read_text("utf-8"))["command"]) == own_command()
    times = {name: (folder / name).stat().st_mtime_ns for name in there}
    assert install(folder) == 0
    assert "already" in capsys.readouterr().out
    assert {name: (folder / name).stat().st_mtime_ns for name in there} == times
    # What Blender's Python leaves there goes too.
    compiled = folder / EXTENSION / "__pycache__" / "job.cpython-311.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"")
    assert install(folder, "--uninstall") == 0
    assert files(folder) == before
    assert not (folder / EXTENSION).exists()
    assert install(folder, "--uninstall") == 0
    assert "has no files" in capsys.readouterr().out


def test_a_module_that_an_older_version_had_goes(folder):
    install(folder)
    old = folder / EXTENSION / "gone.py"
    old.write_text("")
    mine = folder / EXTENSION / "notes.txt"
    mine.write_text("mine")
    install(folder)
    assert not old.exists() and (folder / EXTENSION / "job.py").is_file()
    install(folder, "--uninstall")
    assert mine.read_text() == "mine"


def test_a_dry_run_touches_nothing(folder, capsys):
    before = files(folder)
    assert install(folder, "--dry-run") == 0
    assert "Would write" in capsys.readouterr().out
    assert files(folder) == before


@pytest.mark.parametrize(
    ("platform", "root"),
    [
        ("linux", ".config/blender"),
        ("linux", ".var/app/org.blender.Blender/config/blender"),
        ("darwin", "Library/Application Support/Blender"),
        ("win32", "Roaming/Blender Foundation/Blender"),
    ],
)
def test_every_version_with_extensions_gets_it(tmp_path, platform, root):
    for version in ("3.6", "4.1", "4.2", "4.10", "5.0", "themes"):
        (tmp_path / root / version).mkdir(parents=True)
    environment = {"APPDATA": str(tmp_path / "Roaming")}
    expected = [tmp_path / root / version / "extensions" for version in ("4.2", "4.10", "5.0")]
    assert _found(platform, tmp_path, environment) == expected


def test_blenders_own_variables_are_followed(tmp_path):
    there = {"BLENDER_USER_RESOURCES": str(tmp_path / "r")}
    assert _found("linux", tmp_path, there) == [tmp_path / "r" / "extensions"]
    there["BLENDER_USER_EXTENSIONS"] = str(tmp_path / "e")
    assert _found("linux", tmp_path, there) == [tmp_path / "e"]


def test_no_blender_is_there(monkeypatch, tmp_path, capsys):
    for name in ("BLENDER_USER_RESOURCES", "BLENDER_USER_EXTENSIONS", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["install", "blender"]) == 2
    assert "--folder" in capsys.readouterr().err

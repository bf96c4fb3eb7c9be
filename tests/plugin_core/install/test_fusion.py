"""Installing into Resolve and Fusion: copied once, undone whole, nothing of the user's touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugin_core.cli import main
from plugin_core.install.change import own_command
from plugin_core.install.fusion import _found


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "Zoë's home" / "Fusion"
    (path / "Macros").mkdir(parents=True)
    (path / "Macros" / "mine.setting").write_text("{}")
    return path


def install(folder: Path, *options: str) -> int:
    return main(["install", "fusion", "--folder", str(folder), *options])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_copied_and_undone(folder, capsys):
    assert install(folder) == 0
    assert "Start Resolve" in capsys.readouterr().out
    there = files(folder)
    assert {
        "Macros/mine.setting",
        "Macros/Cleanplate/VINet Inpaint.setting",
        "Fuses/Cleanplate/CleanplateResult.fuse",
        "Scripts/Cleanplate/cleanplate.lua",
        "Scripts/Comp/Cleanplate/Cancel.lua",
    } < there
    note = json.loads((folder / "Scripts/Cleanplate/installed.json").read_text("utf-8"))
    assert Path(note["command"]) == own_command()
    times = {name: (folder / name).stat().st_mtime_ns for name in there}
    assert install(folder) == 0
    assert "already" in capsys.readouterr().out
    assert {name: (folder / name).stat().st_mtime_ns for name in there} == times
    assert install(folder, "--uninstall") == 0
    assert files(folder) == {"Macros/mine.setting"}
    assert not (folder / "Scripts" / "Comp" / "Cleanplate").exists()
    assert install(folder, "--uninstall") == 0
    assert "has no files" in capsys.readouterr().out


def test_a_dry_run_touches_nothing(folder, capsys):
    assert install(folder, "--dry-run") == 0
    assert "Would write" in capsys.readouterr().out
    assert files(folder) == {"Macros/mine.setting"}
    install(folder)
    there = files(folder)
    assert install(folder, "--uninstall", "--dry-run") == 0
    assert "Would remove" in capsys.readouterr().out
    assert files(folder) == there


def test_what_the_user_put_beside_ours_stays(folder):
    install(folder)
    own = folder / "Scripts" / "Cleanplate" / "notes.txt"
    own.write_text("mine")
    install(folder, "--uninstall")
    assert own.read_text() == "mine"


def test_an_older_file_is_brought_up_to_date(folder, capsys):
    install(folder)
    fuse = folder / "Fuses" / "Cleanplate" / "CleanplateResult.fuse"
    now = fuse.read_bytes()
    fuse.write_bytes(b"old")
    assert install(folder) == 0
    assert "Wrote 1 files" in capsys.readouterr().out
    assert fuse.read_bytes() == now


def test_a_file_where_a_folder_should_be(folder, capsys):
    (folder / "Fuses").write_text("in the way")
    assert install(folder) != 0
    assert "Fuses" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "there", "expected"),
    [
        ("linux", ".local/share/DaVinciResolve", [".local/share/DaVinciResolve/Fusion"]),
        ("linux", ".fusion/BlackmagicDesign/Fusion", [".fusion/BlackmagicDesign/Fusion"]),
        ("linux", "other", []),
        (
            "darwin",
            "Library/Application Support/Blackmagic Design/DaVinci Resolve/Support/Fusion",
            ["Library/Application Support/Blackmagic Design/DaVinci Resolve/Support/Fusion"],
        ),
        (
            "darwin",
            "Library/Application Support/Blackmagic Design/DaVinci Resolve",
            ["Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion"],
        ),
        (
            "win32",
            "Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion",
            ["Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion"],
        ),
        (
            "win32",
            "Shared/Blackmagic Design/DaVinci Resolve/Fusion",
            ["Shared/Blackmagic Design/DaVinci Resolve/Fusion"],
        ),
    ],
)
def test_the_folders_of_the_applications(tmp_path, platform, there, expected):
    (tmp_path / there).mkdir(parents=True)
    environment = {"APPDATA": str(tmp_path / "Roaming"), "PROGRAMDATA": str(tmp_path / "Shared")}
    assert _found(platform, tmp_path, environment) == [tmp_path / place for place in expected]


def test_a_windows_user_beyond_ascii_gets_the_shared_folder(tmp_path):
    user = tmp_path / "Jürgen" / "Blackmagic Design" / "DaVinci Resolve"
    user.mkdir(parents=True)
    environment = {"APPDATA": str(tmp_path / "Jürgen"), "PROGRAMDATA": str(tmp_path / "Shared")}
    assert _found("win32", tmp_path, environment) == [
        tmp_path / "Shared" / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Fusion"
    ]


def test_neither_application_is_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["install", "fusion"]) == 2
    assert "--folder" in capsys.readouterr().err

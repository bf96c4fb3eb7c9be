"""Folders, however deep."""

from __future__ import annotations

import os
import shutil

import pytest

from plugin_core.disk.folders import make_folder, remove_own


@pytest.fixture
def removed_by_hand(tmp_path):
    """A place whose content pytest can't remove: it calls itself for every folder, too."""
    place = tmp_path / "deep"
    yield place
    if place.exists():
        os.system(f"rm -rf '{place}'")


def test_a_path_of_many_folders(removed_by_hand):
    deep = removed_by_hand.joinpath(*["a"] * 1600)
    make_folder(deep)
    assert deep.is_dir()
    make_folder(deep)


def test_a_path_longer_than_the_system_takes(tmp_path):
    with pytest.raises(OSError, match="too long"):
        make_folder(tmp_path.joinpath(*["a"] * 4000))
    with pytest.raises(OSError, match="too long"):
        make_folder(tmp_path / ("a" * 300))


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").touch()
    for folder in ("file", "file/a", "file/a/b"):
        with pytest.raises(OSError, match=r"exists|directory"):
            make_folder(tmp_path / folder)


def test_what_is_not_ours_keeps_its_folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ours").touch()
    (tmp_path / "two" / "theirs").touch()
    for name in ("one", "two"):
        remove_own(tmp_path / name, (tmp_path / name).glob("ours"))
    shutil.rmtree(tmp_path / "gone", ignore_errors=True)
    remove_own(tmp_path / "gone", [])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["theirs", "two"]

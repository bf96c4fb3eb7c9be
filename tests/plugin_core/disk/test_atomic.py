"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugin_core.disk.atomic import remove_leftovers, replacing, temporary_for
from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.errors import WriteError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_final_name_appears_only_at_the_end(tmp_path):
    path = tmp_path / "clean.1001.exr"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.suffix == ".exr"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["clean.1001.exr"]


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with (
        pytest.raises(WriteError, match=r"Can't write .*none"),
        replacing(tmp_path / "none" / "a") as temporary,
    ):
        temporary.write_text("x")


def test_only_our_own_leftovers_are_removed(tmp_path):
    mine, other = (temporary_for(tmp_path / name).name for name in ("clean.1001.exr", "other.1001.exr"))
    innocent = ".hidden.tmp.exr"
    for name in (mine, other, innocent):
        (tmp_path / name).touch()
    claimed = []

    def is_mine(path):
        claimed.append(path.name)
        return path.name.startswith("clean.")

    remove_leftovers(tmp_path, is_mine)
    assert names(tmp_path) == sorted([other, innocent])
    assert sorted(claimed) == ["clean.1001.exr", "other.1001.exr"]


def test_a_fingerprint_holds_for_the_same_content_only(tmp_path):
    path = tmp_path / "a"
    path.write_text("abc")
    mark = Fingerprint.of(path)
    assert mark.still_holds(path)
    os.utime(path, ns=(1, 1))
    assert mark.still_holds(path), "a touched file with the same content is the same"
    path.write_text("abd")
    assert not mark.still_holds(path)
    path.unlink()
    assert not mark.still_holds(path)

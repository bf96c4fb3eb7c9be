"""What is said of a folder in which something was looked for."""

from __future__ import annotations

from pathlib import Path

import OpenImageIO as oiio
import pytest

from plugin_core.clips.listing import PICTURES, Listed, listed, pictures_in, what_is_there
from plugin_core.clips.sequence import FileSequence


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_all_that_openimageio_reads_counts_as_a_picture():
    formats = oiio.get_string_attribute("extension_list").split(";")
    extensions = {f".{name}" for text in formats for name in text.partition(":")[2].split(",")}
    assert extensions - PICTURES <= {".nul", ".null", ".term"}


def test_frames_are_told_in_runs():
    (found,) = listed(f"plate.{frame:05d}.jpg" for frame in range(1, 91))
    assert str(found) == "plate.#####.jpg, 90 frames (1-90)"
    (found,) = listed(f"p.{frame:04d}.exr" for frame in range(1, 20, 2))
    assert str(found) == "p.####.exr, 10 frames (1 to 19, with gaps)"
    assert str(Listed.of("p.0007.exr")) == "p.0007.exr" and str(Listed.of("still.png")) == "still.png"


def test_numbers_that_no_frame_has_are_names():
    (found,) = listed(["p.123456789012345678901234567890.exr"])
    assert found.frames == [] and found.name == "p.123456789012345678901234567890.exr"


@pytest.mark.parametrize(
    ("there", "wanted", "said"),
    [
        (
            ["p/plate.00001.jpg", "p/plate.00002.jpg"],
            "p/plate.####.exr",
            "found plate.#####.jpg, 2 frames (1-2)",
        ),
        (["p/plate_v2.0001.exr", "p/matte.0001.exr"], "p/plate_v3.0001.exr", "found plate_v2.0001.exr"),
        (["p/notes.txt"], "p/plate.####.exr", "folder {}/p holds no pictures."),
        (["p/a/x.exr", "p/b/x.exr"], "p/plate.####.exr", "folder {}/p holds the folders a, b."),
        (["plates/x.exr"], "plate/x.####.exr", "there is no folder {0}/plate; did you mean {0}/plates?"),
        (["quite/x.exr"], "other/deeper/x.####.exr", "there is no folder {}/other/deeper."),
        (["p/.hidden.0001.exr"], "p/hidden.####.exr", "folder {}/p holds no pictures."),
        (["p/shot.mov"], "p/shot.####.exr", "folder {}/p holds no pictures."),
    ],
)
def test_what_is_nearest_is_named(tmp_path: Path, there: list[str], wanted: str, said: str):
    touch(tmp_path, *there)
    assert said.format(tmp_path) in what_is_there(tmp_path / wanted)


def test_files_beside_a_sequence_that_are_no_pictures_do_not_count(tmp_path: Path):
    touch(
        tmp_path,
        "p.0001.exr",
        "p.0002.exr",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
        "p.0001.exr.md5",
        "n.txt",
    )
    assert [one.name for one in pictures_in(tmp_path)] == ["p.####.exr"]
    assert FileSequence.parse(tmp_path).frames_on_disk() == [1, 2]


def test_a_single_picture_is_one_frame(tmp_path: Path):
    touch(tmp_path, "p.0007.exr")
    still = FileSequence.parse(tmp_path / "p.0007.exr")
    assert still.is_still and still.number == 7 and still.frames_on_disk() == []
    one = still.as_frame(7)
    assert not one.is_still and one.frames_on_disk() == [7] and one.missing([7, 8]) == [8]
    assert one.path(7) == tmp_path / "p.0007.exr"

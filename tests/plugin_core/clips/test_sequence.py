from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.clips.sequence import FileSequence, FrameRange, compact
from plugin_core.errors import InputError


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize(
    ("text", "frames", "shown"),
    [
        ("7", [7], "7"),
        ("1001-1004", [1001, 1002, 1003, 1004], "1001-1004"),
        ("1-3,7,9-10", [1, 2, 3, 7, 9, 10], "1-3,7,9-10"),
        (" 5 , 1-2 ", [1, 2, 5], "1-2,5"),
        ("-2-1", [-2, -1, 0, 1], "-2-1"),
        ("-5--3", [-5, -4, -3], "-5--3"),
        ("-4", [-4], "-4"),
        ("1-4,3-6,7", [1, 2, 3, 4, 5, 6, 7], "1-7"),
        ("0010-0012", [10, 11, 12], "10-12"),
    ],
)
def test_range_is_read(text: str, frames: list[int], shown: str) -> None:
    parsed = FrameRange.parse(text)
    assert list(parsed) == frames
    assert str(parsed) == shown
    assert (parsed.first, parsed.last, len(parsed)) == (frames[0], frames[-1], len(frames))


@pytest.mark.parametrize("text", ["", "a", "1-", "1,,2", "1..5", "1 - 5", "1-2-3", "1.5", "0x10", "-", "²"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Frame range"):
        FrameRange.parse(text)


@pytest.mark.parametrize("text", ["1-10x2", "1-10:3", "-5-10x2", "1,2-8y2"])
def test_step_is_refused_and_said_why(text: str) -> None:
    with pytest.raises(InputError, match=r"step .* filled from the one before"):
        FrameRange.parse(text)


def test_backwards_range_is_refused() -> None:
    with pytest.raises(InputError, match="backwards at '10-1'"):
        FrameRange.parse("1-3,10-1")


def test_long_range_costs_nothing() -> None:
    frames = FrameRange.parse("1-1000000000000")
    assert len(frames) == 10**12
    assert 10**12 in frames
    assert 10**12 + 1 not in frames
    assert "1" not in frames


def test_empty_range_says_so() -> None:
    empty = FrameRange.of([])
    assert (list(empty), len(empty), str(empty)) == ([], 0, "")
    with pytest.raises(InputError, match="empty"):
        _ = empty.first


@given(st.sets(st.integers(-2000, 20000), min_size=1))
def test_compact_and_parse_are_inverse(frames: set[int]) -> None:
    parsed = FrameRange.parse(compact(frames))
    assert list(parsed) == sorted(frames)
    assert parsed == FrameRange.of(frames)
    assert hash(parsed) == hash(FrameRange.of(frames))
    assert all((n in parsed) == (n in frames) for n in range(min(frames) - 2, min(frames) + 50))


@pytest.mark.parametrize(
    ("pattern", "frame", "name"),
    [
        ("plate.####.exr", 7, "plate.0007.exr"),
        ("plate.####.exr", 12345, "plate.12345.exr"),
        ("plate.####.exr", -5, "plate.-005.exr"),
        ("plate.#.exr", 1001, "plate.1001.exr"),
        ("plate.######.exr", 1001, "plate.001001.exr"),
        ("plate.@@@@.dpx", 42, "plate.0042.dpx"),
        ("plate_%04d.png", 42, "plate_0042.png"),
        ("plate_%d.png", 42, "plate_42.png"),
        ("%08d.tif", 42, "00000042.tif"),
        ("v2_50%_plate%04d.exr", 3, "v2_50%_plate0003.exr"),
        ("Plätze mit Leer 3.####.EXR", 3, "Plätze mit Leer 3.0003.EXR"),
    ],
)
def test_frame_has_its_file(tmp_path: Path, pattern: str, frame: int, name: str) -> None:
    folder = tmp_path / "50% #2 @home %04d"
    sequence = FileSequence.parse(folder / pattern)
    assert sequence.path(frame) == folder / name
    assert not sequence.is_still
    assert sequence.extension == Path(name).suffix.lower()


def test_pattern_shows_the_token(tmp_path: Path) -> None:
    assert FileSequence.parse(tmp_path / "a.%04d.exr").pattern == str(tmp_path / "a.####.exr")
    assert str(FileSequence.parse("a.@@@.exr")) == "a.###.exr"


def test_file_with_digits_is_a_still(tmp_path: Path) -> None:
    touch(tmp_path, "matte.1001.png")
    still = FileSequence.parse(tmp_path / "matte.1001.png")
    assert still.is_still
    assert still.path(1) == still.path(99) == tmp_path / "matte.1001.png"
    assert still.frames_on_disk() == []
    assert still.missing([1, 2]) == []
    assert FileSequence.parse(tmp_path / "other.1001.png").missing([2, 1]) == [1, 2]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("plate.####.%04d.exr", r"several frame tokens \(####, %04d\)"),
        ("a#b#.exr", "several frame tokens"),
        ("plate.####", "no file extension"),
        ("plate", "no file extension"),
        ("plate.%4d.exr", "write %04d"),
        ("plate_%V.####.exr", "stereo"),
        (" ", "empty"),
    ],
)
def test_pattern_that_is_ambiguous_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        FileSequence.parse(pattern)


def test_frames_on_disk_keep_to_the_padding(tmp_path: Path) -> None:
    touch(tmp_path, "p.0001.exr", "p.0010.exr", "p.9999.exr", "p.10000.exr", "p.-001.exr")
    touch(tmp_path, "p.1.exr", "p.00002.exr", "p.010000.exr", "p.0003.exr.tmp", "q.0004.exr", "p.0005.dpx")
    touch(tmp_path, "p.٠٠٠٧.exr", "p.0x06.exr", ".p.0008.exr")  # noqa: RUF001
    sequence = FileSequence.parse(tmp_path / "p.####.exr")
    assert sequence.frames_on_disk() == [-1, 1, 10, 9999, 10000]
    assert sequence.missing(range(9, 12)) == [9, 11]
    assert FileSequence.parse(tmp_path / "p.#.exr").frames_on_disk() == [1, 9999, 10000]


def test_unpadded_sequence_finds_every_width(tmp_path: Path) -> None:
    touch(tmp_path, *(f"p{n}.exr" for n in (8, 9, 10, 11, 100)))
    assert FileSequence.parse(tmp_path / "p%d.exr").frames_on_disk() == [8, 9, 10, 11, 100]


def test_missing_folder_has_no_frames(tmp_path: Path) -> None:
    sequence = FileSequence.parse(tmp_path / "nowhere" / "p.####.exr")
    assert sequence.frames_on_disk() == []
    assert sequence.missing([1, 2]) == [1, 2]


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["p.0998.exr", "p.0999.exr", "p.1000.exr"], "p.####.exr"),
        (["p.9999.exr", "p.10000.exr"], "p.####.exr"),
        (["00000.png", "00001.png"], "#####.png"),
        (["shot_v002-8.tif", "shot_v002-10.tif"], "shot_v002-#.tif"),
        (["p.0001.exr", ".p.0002.exr", "folder.0001.exr/"], "p.####.exr"),
    ],
)
def test_folder_with_one_sequence_names_it(tmp_path: Path, names: list[str], pattern: str) -> None:
    for name in names:
        (tmp_path / name).mkdir() if name.endswith("/") else touch(tmp_path, name)
    sequence = FileSequence.parse(tmp_path)
    assert sequence.pattern == str(tmp_path / pattern)
    assert all(sequence.path(n).is_file() for n in sequence.frames_on_disk())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["p.0001.exr", "q.0001.exr"], r"holds p\.0001\.exr; q\.0001\.exr"),
        (["p.0001.exr", "p.0001.png"], "exactly one"),
        (["p.0001.exr", "p.02.exr", "p.3.exr"], "mixes paddings"),
        ([], "no files"),
    ],
)
def test_folder_that_holds_something_else_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    touch(tmp_path, *names)
    with pytest.raises(InputError, match=message):
        FileSequence.parse(tmp_path)


def test_folder_with_a_single_still(tmp_path: Path) -> None:
    touch(tmp_path, "matte.png")
    assert FileSequence.parse(tmp_path).path(5) == tmp_path / "matte.png"
    assert FileSequence.parse(tmp_path).is_still


@given(st.integers(1, 8), st.sets(st.integers(-99, 200000), min_size=1, max_size=30))
def test_written_frames_are_found(
    tmp_path_factory: pytest.TempPathFactory, pad: int, frames: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("frames")
    sequence = FileSequence.parse(folder / f"p.{'#' * pad}.exr")
    touch(folder, *(sequence.path(n).name for n in frames))
    assert sequence.frames_on_disk() == sorted(frames)
    assert sequence.missing(frames) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("p.####.exr", "p.%04d.exr", True),
        ("p.####.exr", "p.#.exr", True),
        ("p.####.exr", "q.####.exr", False),
        ("p.####.exr", "p.####.png", False),
        ("p.####.exr", "p.1001.exr", True),
        ("p.####.exr", "p.clean.exr", False),
        ("p.exr", "p.exr", True),
        ("sub/../p.####.exr", "p.####.exr", True),
        ("sub/p.####.exr", "p.####.exr", False),
    ],
)
def test_same_files_are_recognized(tmp_path: Path, one: str, other: str, same: bool) -> None:
    (tmp_path / "sub").mkdir()
    assert FileSequence.parse(tmp_path / one).same_files(FileSequence.parse(tmp_path / other)) is same
    assert FileSequence.parse(tmp_path / other).same_files(FileSequence.parse(tmp_path / one)) is same

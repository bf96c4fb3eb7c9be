"""A file appears whole under its name, or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import plugin_core.images.write
from plugin_core.disk.atomic import TEMPORARY_PREFIX
from plugin_core.errors import WriteError
from plugin_core.images import Plate, read_plate, write_plate

from ..pictures_on_disk import save, spec_of

W, H = 200, 150
NOISE = np.random.default_rng(0).random((H, W, 4), dtype=np.float32)


@pytest.fixture
def plate(tmp_path: Path) -> Plate:
    return read_plate(save(tmp_path / "plate.exr", (spec_of(W, H, "RGBA", "half"), NOISE)))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_that_is_gone(plate: Plate, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"clean\.0001\.exr can't be written \(No such file"):
        write_plate(plate, tmp_path / "gone" / "clean.0001.exr")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_folder_that_may_not_be_written(plate: Plate, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(WriteError, match="Permission denied"):
        write_plate(plate, folder / "clean.exr")


def test_name_taken_by_a_folder(plate: Plate, tmp_path: Path) -> None:
    (tmp_path / "out.exr" / "inside").mkdir(parents=True)
    with pytest.raises(WriteError, match="can't be written"):
        write_plate(plate, tmp_path / "out.exr")
    assert names(tmp_path) == ["out.exr", "plate.exr"]


def test_existing_file_is_replaced_whole(plate: Plate, tmp_path: Path) -> None:
    out = tmp_path / "out.exr"
    out.write_text("old")
    write_plate(plate, out)
    np.testing.assert_array_equal(read_plate(out).rgb, plate.rgb)
    assert names(tmp_path) == ["out.exr", "plate.exr"]


@pytest.mark.parametrize("step", ["_write_parts", "_check_written", "sync_to_disk"])
def test_failure_at_any_step_leaves_the_old_file(
    plate: Plate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    out = tmp_path / "out.exr"
    out.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plugin_core.images.write, step, fail)
    with pytest.raises(WriteError, match="the disk is full"):
        write_plate(plate, out)
    assert out.read_text() == "old"
    assert names(tmp_path) == ["out.exr", "plate.exr"]


def test_interruption_leaves_nothing(plate: Plate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plugin_core.images.write, "_check_written", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_plate(plate, tmp_path / "out.exr")
    assert names(tmp_path) == ["plate.exr"]


def test_file_that_lost_its_end_is_noticed(
    plate: Plate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk took the data without complaint and kept half of it."""
    write_parts = plugin_core.images.write._write_parts

    def write_half(parts: object, target: object, temporary: Path, *more: object) -> None:
        write_parts(parts, target, temporary, *more)  # type: ignore[arg-type]
        os.truncate(temporary, temporary.stat().st_size // 2)

    monkeypatch.setattr(plugin_core.images.write, "_write_parts", write_half)
    with pytest.raises(WriteError):
        write_plate(plate, tmp_path / "out.exr")
    assert names(tmp_path) == ["plate.exr"]


def test_temporary_name_is_known_and_hidden(
    plate: Plate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    check = plugin_core.images.write._check_written

    def look(parts: tuple[object, ...], temporary: Path, path: Path) -> list[str]:
        seen.append(temporary)
        return check(parts, temporary, path)  # type: ignore[arg-type]

    monkeypatch.setattr(plugin_core.images.write, "_check_written", look)
    write_plate(plate, tmp_path / "Bild mit Leerzeichen ü.0001.exr")
    assert seen[0].name.startswith(TEMPORARY_PREFIX) and seen[0].name.startswith(".")
    assert seen[0].suffix == ".exr"
    assert not (tmp_path / "Bild mit Leerzeichen ü.0001.exr").name.startswith(TEMPORARY_PREFIX)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from plugin_core.errors import WriteError
from plugin_core.images import read_plate, write_plate
plate = read_plate(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    write_plate(plate, Path(sys.argv[2]))
except WriteError as error:
    print("refused", "can't be written" in str(error))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on file size")
@pytest.mark.parametrize(
    ("name", "types", "tile"),
    [
        ("p.exr", "half", 0),
        ("p.exr", "half", 64),
        ("p.exr", ("half", "half", "half", "uint"), 0),
        ("p.exr", ("half", "half", "half", "uint"), 64),
        ("p.exr", ("half", "half", "half", "float"), 64),
        ("p.dpx", "uint16", 0),
        ("p.png", "uint16", 0),
        ("p.tif", "float", 0),
        ("p.tif", "uint8", 64),
        ("p.tga", "uint8", 0),
    ],
)
def test_write_that_stops_halfway_is_an_error(
    tmp_path: Path, name: str, types: str | tuple[str, ...], tile: int
) -> None:
    """No room for the whole file: an error within seconds, no process lost, nothing left behind.

    The limit is on the size of a file, which libraries meet as they meet a full disk.
    """
    tiles = {"tile_width": tile, "tile_height": tile} if tile else {}
    path = save(tmp_path / name, (spec_of(W, H, "RGBA", types, **tiles), NOISE))
    out = tmp_path / f"out{path.suffix}"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(out)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "refused True", done.stderr
    assert names(tmp_path) == [name]


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files in memory")
def test_a_quota_that_strikes_in_the_middle_of_a_jpeg_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libjpeg ends the process when the disk takes no more: it must never write to one."""
    plate = read_plate(save(tmp_path / "p.png", (spec_of(W, H, "RGB", "uint8"), NOISE[..., :3])))

    def strike(path: Path, data: bytes) -> int:
        assert len(data) > 1000
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(path))

    monkeypatch.setattr(Path, "write_bytes", strike)
    with pytest.raises(WriteError, match=r"out\.jpg can't be written \(Disk quota exceeded\)"):
        write_plate(plate, tmp_path / "out.jpg")
    assert names(tmp_path) == ["p.png"]
    monkeypatch.undo()
    write_plate(plate, tmp_path / "out.jpg")
    assert np.abs(read_plate(tmp_path / "out.jpg").rgb - plate.rgb).max() < 0.1


@pytest.mark.parametrize("name", ["out.jpg", "mixed.exr"])
def test_room_is_checked_where_a_library_would_not_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """libjpeg ends the process on a full disk, and OpenEXR waits forever: neither is started."""
    types = ("half", "half", "half", "uint") if name == "mixed.exr" else "uint8"
    source = "p.exr" if name == "mixed.exr" else "p.png"
    plate = read_plate(save(tmp_path / source, (spec_of(W, H, "RGBA", types), NOISE)))
    usage = type("Usage", (), {"free": (1 << 20) + 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with pytest.raises(WriteError, match="the disk is full"):
        write_plate(plate, tmp_path / name)
    assert names(tmp_path) == [source]

"""Files that are damaged or not what they seem: one sentence each, never a crash or a wrong picture."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.errors import ImageError
from plugin_core.images import read_header, read_matte, read_plate

from ..pictures_on_disk import save, save_exr_by_hand, spec_of

pytestmark = pytest.mark.slow

W, H = 64, 48
FLOATS = np.random.default_rng(0).random((H, W, 4), dtype=np.float32)


def sample(folder: Path, name: str) -> Path:
    """A healthy picture of the format that the name says."""
    kind = KINDS[Path(name).suffix]
    stored: dict[str, object] = {"tile_width": 32, "tile_height": 32} if "tiled" in name else {}
    if name.split(".")[0] in COMPRESSIONS:
        stored["compression"] = name.split(".")[0]
    if "parts" in name:
        ids = spec_of(W, H, ["id"], "uint", oiio__subimagename="ids")
        rgb = spec_of(W, H, "RGB", kind, oiio__subimagename="rgb")
        return save(folder / name, (ids, FLOATS[..., :1]), (rgb, FLOATS[..., :3]))
    if "mixed" in name:
        spec = spec_of(W, H, ("R", "G", "B", "id"), ("half",) * 3 + ("uint",), **stored)
        return save(folder / name, (spec, FLOATS))
    return save(folder / name, (spec_of(W, H, "RGB", kind, **stored), FLOATS[..., :3]))


KINDS = {
    ".exr": "half",
    ".png": "uint16",
    ".tif": "float",
    ".dpx": "uint16",
    ".jpg": "uint8",
    ".jxl": "uint16",
}
KINDS |= {".tga": "uint8", ".bmp": "uint8"}
COMPRESSIONS = ("none", "rle", "zips", "piz", "pxr24", "b44a", "dwaa", "dwab", "htj2k256", "zstd", "lzw")
NAMES = ["a.exr", "piz.exr", "tiled.exr", "a.png", "a.tif", "a.dpx", "a.jpg"]
MORE = [
    *(f"{name}.exr" for name in COMPRESSIONS[:-1] if name != "piz"),
    *("parts.exr", "mixed.exr", "tiled mixed.exr", "lzw.tif", "tiled.tif", "a.jxl", "a.tga", "a.bmp"),
]


@pytest.mark.parametrize("name", NAMES + MORE)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_file_is_refused(tmp_path: Path, name: str, share: float) -> None:
    path = sample(tmp_path, name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match=f"{name} can't be read as a picture"):
        read_plate(path)
    if name == "parts.exr" and share > 0.1:
        return  # a matte takes the first part, which is whole
    with pytest.raises(ImageError, match=f"{name} can't be read as a picture"):
        read_matte(path)


@pytest.mark.parametrize("name", NAMES)
def test_empty_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    for read in (read_plate, read_header, read_matte):
        with pytest.raises(ImageError, match=r"is empty \(0 bytes\)"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_text_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("This is not a picture.\n" * 20)
    with pytest.raises(ImageError, match="can't be read as a picture"):
        read_plate(tmp_path / name)


def test_folder_and_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        read_plate(tmp_path)
    with pytest.raises(ImageError, match="is not there"):
        read_plate(tmp_path / "gone.exr")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_unreadable_file_says_so(tmp_path: Path) -> None:
    path = sample(tmp_path, "a.exr")
    path.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        read_plate(path)


def test_deep_exr_is_refused(tmp_path: Path) -> None:
    spec = spec_of(4, 4, ("R", "G", "B", "A", "Z"), "float")
    spec.deep = True
    deep = oiio.DeepData()
    deep.init(16, 5, oiio.TypeDesc("float"), spec.channelnames)
    out = oiio.ImageOutput.create(str(tmp_path / "deep.exr"))
    assert out.open(str(tmp_path / "deep.exr"), spec), out.geterror()
    assert out.write_deep_image(deep), out.geterror()
    out.close()
    with pytest.raises(ImageError, match="deep picture; flatten it"):
        read_plate(tmp_path / "deep.exr")
    with pytest.raises(ImageError, match="deep picture; flatten it"):
        read_matte(tmp_path / "deep.exr")


def test_header_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    half = FLOATS[..., 0].astype("<f2")
    huge = np.array([0, 0, 2**30, 2**20], "<i4").tobytes()
    path = save_exr_by_hand(tmp_path / "a.exr", dict.fromkeys("RGB", half), {"dataWindow": ("box2i", huge)})
    with pytest.raises(ImageError, match="can't be read as a picture"):
        read_plate(path)


def test_chroma_subsampled_exr_is_refused(tmp_path: Path) -> None:
    half = FLOATS[..., 0].astype("<f2")
    path = save_exr_by_hand(tmp_path / "a.exr", {"RY": half, "Y": half, "BY": half})
    data = bytearray(path.read_bytes())
    at = data.index(b"RY\0") + 3 + 8
    data[at : at + 8] = np.array([2, 2], "<i4").tobytes()
    path.write_bytes(data)
    with pytest.raises(ImageError, match="RGB"):
        read_plate(path)


@pytest.mark.parametrize("descriptor", [100, 101, 102, 103])
def test_ycbcr_dpx_is_refused(tmp_path: Path, descriptor: int) -> None:
    """Its luminance alone would be filled, and its chroma written as G and B."""
    names = "RGBA" if descriptor in (101, 103) else "RGB"
    path = save(tmp_path / "a.dpx", (spec_of(W, H, names, "uint16"), FLOATS[..., : len(names)]))
    data = bytearray(path.read_bytes())
    data[800] = descriptor
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"stores luminance and chroma \(.*convert it to RGB"):
        read_plate(path)


def test_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = sample(tmp_path, "a.exr")
    path.write_bytes(path.read_bytes().replace(b"R\0\x01\0\0\0", b"\xff\0\x01\0\0\0", 1))
    with pytest.raises(ImageError):
        read_plate(path)


FUZZ = """
import faulthandler, random, resource, sys
from pathlib import Path
faulthandler.dump_traceback_later(90, exit=True)  # a hang is an end with a traceback
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # and so is a header that asks for all memory
from plugin_core.errors import CleanplateError
from plugin_core.images import read_matte, read_plate
whole, target = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for seed in range(int(sys.argv[3])):
    rng, data = random.Random(seed), bytearray(whole)
    for _ in range(rng.choice((1, 3, 30))):
        data[rng.randrange(min(len(data), rng.choice((400, 2500, len(data)))))] = rng.randrange(256)
    target.write_bytes(data)
    for read in (read_plate, read_matte):
        try:
            read(target)
        except CleanplateError as error:
            assert 0 < len(str(error)) < 1000
print("survived")
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on memory")
@pytest.mark.parametrize("name", NAMES + MORE)
def test_damaged_bytes_never_crash(tmp_path: Path, name: str) -> None:
    """In a process of its own: what a library does to a process, the test should live to tell."""
    path = sample(tmp_path, name)
    command = [sys.executable, "-c", FUZZ, str(path), str(tmp_path / f"damaged{path.suffix}"), "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "survived"


def test_damage_in_the_pixels_of_an_exr_is_noticed(tmp_path: Path) -> None:
    """A damaged zip chunk must not come back as black rows."""
    path = sample(tmp_path, "a.exr")
    data = bytearray(path.read_bytes())
    rng = random.Random(0)
    for at in range(len(data) // 2, len(data) // 2 + 40):
        data[at] = rng.randrange(256)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="can't be read as a picture"):
        read_plate(path)


@pytest.mark.parametrize("name", ["a.exr", "tiled.exr", "pxr24.exr", "mixed.exr", "a.png"])
def test_no_bit_changes_unnoticed_in_a_format_with_checksums(tmp_path: Path, name: str) -> None:
    """ZIP in EXR, and PNG: a flipped bit among the pixels is an error, or they are as they were."""
    path = sample(tmp_path, name)
    whole, plate = path.read_bytes(), read_plate(path)
    good = [group.pixels.tobytes() for part in plate.parts for group in part.groups]
    damaged = tmp_path / f"damaged{path.suffix}"
    for seed in range(40):
        rng, data = random.Random(seed), bytearray(whole)
        at = rng.randrange(len(data) // 2, len(data) - len(data) // 20)
        data[at] ^= 1 << rng.randrange(8)
        damaged.write_bytes(data)
        try:
            read = read_plate(damaged)
        except ImageError:
            continue
        assert [group.pixels.tobytes() for part in read.parts for group in part.groups] == good

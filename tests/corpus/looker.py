"""Look at pictures as plates and as mattes, and write each plate with a fill.

It runs in a process that may die of it: reads paths from standard input, one a line, and answers each with a
line of JSON (see `Seen`).
"""

from __future__ import annotations

import json
import os
import random
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plugin_core.errors import CleanplateError, ImageError
from plugin_core.images import Matte, Plate, read_matte, read_plate, write_plate
from plugin_core.images.formats import format_for

CUTS = (0.05, 0.35, 0.65, 0.95)
"""Shares of a file that a truncated one keeps."""
DAMAGES = int(os.environ.get("CLEANPLATE_CORPUS_DAMAGES", "2"))
"""Damaged copies of each file."""


@dataclass
class Seen:
    """What became of one picture.

    Attributes:
        path: the picture.
        plate, matte: "taken", or the sentence that it was refused with.
        faults: what should not be: tracebacks, values that are none, pixels made up for missing bytes.
        cuts: how many truncated copies were refused, and how many gave the very pixels of the whole.
        damaged: how many readings of damaged copies were refused, and how many went through.
        out: the plate written with a fill; empty where it was refused.
        part, channels, box: what of it was filled: part, channels, and x0, y0, x1, y1 in the data window.
        grown: bytes of memory that it took at most.
        unpacked: bytes of its pixels.
    """

    path: str
    plate: str = ""
    matte: str = ""
    faults: list[str] = field(default_factory=list)
    cuts: tuple[int, int] = (0, 0)
    damaged: tuple[int, int] = (0, 0)
    out: str = ""
    part: int = 0
    channels: tuple[int, ...] = ()
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    grown: int = 0
    unpacked: int = 0


def look(path: Path, out: Path, *, cut: bool) -> Seen:
    """Look at one picture."""
    seen = Seen(str(path))
    before = _reset_peak()
    plate = _taken(seen, "plate", lambda: read_plate(path))
    if isinstance(plate, Plate):
        seen.unpacked = plate.nbytes
        _write(seen, plate, out)
    matte = _taken(seen, "matte", lambda: read_matte(path))
    if isinstance(matte, Matte):
        seen.unpacked = max(seen.unpacked, matte.values.nbytes)
        if not (np.isfinite(matte.values).all() and matte.values.min() >= 0 and matte.values.max() <= 1):
            seen.faults.append("the matte has values beyond 0..1")
    seen.grown = _peak() - before
    if cut:
        _cut(seen, path, out, plate, matte)
        _damage(seen, path, out)
    return seen


def _taken(seen: Seen, what: str, read: Callable[[], Any]) -> object:
    found: object = None
    said = "taken"
    try:
        found = read()
    except CleanplateError as error:
        said = str(error)
        if not said or len(said) > 1000 or "\n" in said:
            seen.faults.append(f"{what}: no clear sentence: {said!r}")
    except Exception:
        said = "traceback"
        seen.faults.append(f"{what}: {traceback.format_exc()[-600:]}")
    setattr(seen, what, said)
    return found


def _write(seen: Seen, plate: Plate, out: Path) -> None:
    header = plate.header
    x0, y0, x1, y1 = header.width // 4, header.height // 4, header.width // 2, header.height // 2
    where = np.ones((y1 - y0, x1 - x0), np.bool_)
    fill = np.random.default_rng(0).random((*where.shape, 3), dtype=np.float32)
    try:
        target = out.with_suffix(_extension(plate))
        write_plate(plate.with_patch(fill, where, x0, y0), target, sync=False)
    except ImageError as error:
        seen.plate = str(error)  # no format of ours holds its pixels
        return
    except Exception:
        seen.faults.append(f"written: {traceback.format_exc()[-600:]}")
        return
    seen.out, seen.part, seen.box = str(target), header.part, (x0, y0, x1, y1)
    seen.channels = header.fill_channels


def _extension(plate: Plate) -> str:
    """The plate's own extension where it can be written without loss, else one that holds its pixels."""
    suffix = plate.header.path.suffix
    try:
        own = format_for(suffix)
    except ImageError:
        own = None
    if own is not None and own.name == plate.header.format and not own.lossy:
        return suffix
    if plate.header.is_float:
        return ".exr"
    spec = plate.parts[plate.header.part].spec
    multiplied = spec.alpha_channel >= 0 and not spec.get_int_attribute("oiio:UnassociatedAlpha", 0)
    is_large = plate.header.types[plate.header.fill_channels[0]] not in ("uint8", "uint16")
    return ".tif" if multiplied or is_large else ".png"


def _cut(seen: Seen, path: Path, out: Path, plate: object, matte: object) -> None:
    """Truncated copies are refused, or give the very pixels of the whole: nobody makes up what is missing."""
    whole = path.read_bytes()
    short = out.with_name(f"{out.stem}-cut{path.suffix}")
    refused = same = 0
    for share in CUTS:
        short.write_bytes(whole[: int(len(whole) * share)])
        for what, read, known in (("plate", read_plate, plate), ("matte", read_matte, matte)):
            try:
                found = read(short)
            except CleanplateError:
                refused += 1
                continue
            except Exception:
                seen.faults.append(f"{what} cut at {share}: {traceback.format_exc()[-600:]}")
                continue
            if _pixels(found) == _pixels(known):
                same += 1
            else:
                seen.faults.append(f"{what} cut at {share}: taken, with pixels that are not the file's")
    short.unlink()
    seen.cuts = (refused, same)


def _damage(seen: Seen, path: Path, out: Path) -> None:
    """Copies with wrong bytes, mostly in the header: whatever comes of them, it is no traceback."""
    whole = path.read_bytes()
    damaged = out.with_name(f"{out.stem}-damaged{path.suffix}")
    rng = random.Random(path.name)
    refused = taken = 0
    for _ in range(DAMAGES):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 3, 30))):
            data[rng.randrange(min(len(data), rng.choice((100, 600, len(data)))))] = rng.randrange(256)
        damaged.write_bytes(data)
        for what, read in (("plate", read_plate), ("matte", read_matte)):
            try:
                read(damaged)
                taken += 1
            except CleanplateError:
                refused += 1
            except Exception:
                seen.faults.append(f"{what} damaged: {traceback.format_exc()[-600:]}")
    damaged.unlink()
    seen.damaged = (refused, taken)


def _pixels(found: object) -> bytes:
    if isinstance(found, Plate):
        return b"".join(group.pixels.tobytes() for part in found.parts for group in part.groups)
    return found.values.tobytes() if isinstance(found, Matte) else b""


def _reset_peak() -> int:
    """Forget the peak of memory so far (Linux); returns the bytes in use."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return _peak()


def _peak() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def main() -> None:
    """Answer every line, with pictures written into the folder that is the first argument."""
    folder, cut = Path(sys.argv[1]), sys.argv[2] == "cut"
    for number, line in enumerate(sys.stdin):
        path = Path(line.rstrip("\n"))
        print(json.dumps(asdict(look(path, folder / f"{path.name}-{number}.x", cut=cut))), flush=True)


if __name__ == "__main__":
    main()

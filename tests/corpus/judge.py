"""Hold written pictures against their plates by OpenImageIO's own reader, in a process without our code.

Reads lines of JSON (`looker.Seen`) from standard input, and answers each with a line: a list of faults.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import OpenImageIO as oiio


def planes_of(path: str) -> list[list[tuple[str, Any]]]:
    """Name and pixels, in their own type, of every channel of every part."""
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(path, hints)
    assert file is not None, oiio.geterror()
    parts: list[list[tuple[str, Any]]] = []
    while file.seek_subimage(len(parts), 0):
        spec = file.spec()
        planes: list[tuple[str, Any]] = []
        for kind in dict.fromkeys(str(spec.channelformat(c)) for c in range(spec.nchannels)):
            pixels = file.read_image(len(parts), 0, 0, spec.nchannels, oiio.TypeDesc(kind))
            assert pixels is not None, file.geterror()
            planes += [
                (name, pixels[..., c])
                for c, name in enumerate(spec.channelnames)
                if str(spec.channelformat(c)) == kind
            ]
        parts.append(planes)
    own = file.format_name()
    file.close()
    oiio.geterror()
    return [[(own, None)], *parts]


def judge(seen: dict[str, Any]) -> list[str]:
    """What differs outside the fill."""
    (one_kind, *one), (other_kind, *other) = planes_of(seen["path"]), planes_of(seen["out"])
    same_format = one_kind == other_kind
    x0, y0, x1, y1 = seen["box"]
    faults = []
    for part, planes in enumerate(one if same_format else one[seen["part"] : seen["part"] + 1]):
        theirs = dict(other[part if same_format else 0])
        for channel, (name, before) in enumerate(planes):
            after = theirs.get(name)
            filled = (part == seen["part"] or not same_format) and channel in seen["channels"]
            if after is None or after.shape != before.shape or after.dtype != before.dtype:
                if same_format:
                    faults.append(f"part {part} channel {name}: gone, or of another size or type")
                continue
            differs = before.view(f"u{before.itemsize}") != after.view(f"u{after.itemsize}")
            if filled:
                differs[y0:y1, x0:x1] = False
            if differs.any():
                faults.append(f"part {part} channel {name}: {int(differs.sum())} untouched pixels differ")
    return faults


def main() -> None:
    """Answer every line."""
    for line in sys.stdin:
        seen = json.loads(line)
        try:
            faults = judge(seen)
        except Exception as error:
            faults = [f"judged: {error!r}"]
        print(json.dumps({"path": seen["path"], "faults": faults}), flush=True)


if __name__ == "__main__":
    main()

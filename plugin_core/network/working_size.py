"""How large a picture the network works on where nobody says: by the device and its memory."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

STANDARD_SIZE = 512
LEAST_SIZE, MOST_SIZE = 64, 4096
"""What may be asked for."""

_LIKED = {"cpu": STANDARD_SIZE, "cuda": 1024}
"""Side of the square that takes about a second a frame on a processor; a card has time for more."""

_SHARE = {"cpu": 1 / 4, "cuda": 3 / 4}
"""How much of the memory the network may take: beside it a processor's holds plates, and other programs."""

_BYTES_PER_PIXEL = 4000
"""What encoding and stepping take for each pixel of the network's input (measured, see bench_region)."""

_STEP, _LEAST = 64, 128


def working_size_for(kind: str, memory_bytes: int) -> int:
    """Return the side of the largest square to work on, a multiple of 64.

    Args:
        kind: of device, "cpu" or "cuda".
        memory_bytes: what the device has, used or not: the choice must not depend on what else runs.
    """
    affordable = math.isqrt(int(memory_bytes * _SHARE[kind]) // _BYTES_PER_PIXEL)
    return max(_LEAST, min(_LIKED[kind], affordable) // _STEP * _STEP)


def chosen_size(asked: int | None, before: Mapping[str, str] | None, otherwise: int) -> int:
    """Return the working size of a render: as asked, else that of the render it goes on from, else the
    device's.

    Args:
        asked: from the settings.
        before: key of the state or journal that is gone on from: a retry on a machine with other memory gives
            the same pixels.
        otherwise: what suits the device.
    """
    if asked is not None:
        return asked
    known = (before or {}).get("working size", "")
    # Anyone may have written it: what no settings could ask for is not believed.
    size = int(known) if re.fullmatch("[0-9]{1,5}", known) else 0
    return size if LEAST_SIZE <= size <= MOST_SIZE else otherwise

"""Arrays of one shape kept in a temporary file, so that looking far ahead costs disk and not memory."""

from __future__ import annotations

import tempfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ..errors import WriteError

_STORED = np.dtype(np.float16)
_LARGEST = float(np.finfo(_STORED).max)


class Spool:
    """Pictures (H, W, C) by frame number, stored as halves; what no half can hold becomes the largest one.

    The file has no name and goes with the process. A frame's place is used again once it was dropped.
    """

    def __init__(self, height: int, width: int, channels: int) -> None:
        self._shape = (height, width, channels)
        self._row_bytes = width * channels * _STORED.itemsize
        self._file: IO[bytes] | None = None
        self._places: dict[int, int] = {}
        self._free: list[int] = []

    def __contains__(self, frame: int) -> bool:
        return frame in self._places

    def put(self, frame: int, array: NDArray[np.float32]) -> None:
        """Store a frame's array. Raises WriteError when the temporary folder takes no more."""
        try:
            self._write(frame, array)
        except OSError as error:
            raise WriteError(
                f"The temporary folder {tempfile.gettempdir()} does not take frame {frame}'s motion "
                f"({error.strerror or error}); make room, set TMPDIR to another, or use --propagate off."
            ) from error

    def _write(self, frame: int, array: NDArray[np.float32]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="cleanplate-")  # noqa: SIM115 (lives as long as this)
        place = self._free.pop() if self._free else len(self._places)
        self._file.seek(place * self._row_bytes * self._shape[0])
        # An infinite value would spoil every mean that it enters.
        finite = np.clip(array.reshape(self._shape), -_LARGEST, _LARGEST)
        self._file.write(np.ascontiguousarray(finite, _STORED).tobytes())
        self._file.flush()
        self._places[frame] = place

    def rows(self, frame: int, top: int, bottom: int) -> NDArray[np.float32]:
        """Return rows `top` to `bottom` (excluded) of a stored frame."""
        assert self._file is not None  # the frame was put
        self._file.seek((self._places[frame] * self._shape[0] + top) * self._row_bytes)
        stored = self._file.read((bottom - top) * self._row_bytes)
        shape = (bottom - top, *self._shape[1:])
        return np.frombuffer(stored, _STORED).reshape(shape).astype(np.float32)

    def keep(self, lower: int, upper: int) -> None:
        """Drop every frame outside `lower`..`upper`."""
        for frame in [frame for frame in self._places if not lower <= frame <= upper]:
            self._free.append(self._places.pop(frame))

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._places.clear()
        self._free.clear()

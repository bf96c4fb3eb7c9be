"""Native pixels of one box of the plate, by frame: a plate is decoded once, however often it is looked at.

Those nearest to the frame in work stay in memory, the others go to a temporary file as far as that may grow.
What finds no room is read from the plate again.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Container
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box

MEMORY_BYTES = 512 << 20
FILE_BYTES = 8 << 30
"""How much is kept in memory and in the file; of the file's disk at most half of what is free."""

Pixels = NDArray[Any]


class CropStore:
    """Keeps what it has read. For several threads, one at a time.

    Args:
        read: returns a frame's pixels (H, W, 3) in the box, all frames of one size, in an array of its own.
    """

    def __init__(self, read: Callable[[int], Pixels]) -> None:
        self._read = read
        self._center = 0
        self._held: dict[int, Pixels] = {}
        self._filed = _File()
        self._one_at_a_time = threading.Lock()

    def near(self, frame: int) -> None:
        """Tell which frame is in work."""
        self._center = frame

    def keep(self, frames: Container[int]) -> None:
        """Drop all but some frames."""
        with self._one_at_a_time:
            for frame in [frame for frame in self._held if frame not in frames]:
                del self._held[frame]
            self._filed.drop([frame for frame in self._filed.frames() if frame not in frames])

    def crop(self, frame: int, box: Box | None = None) -> Pixels:
        """Return a frame's pixels, or those of a box within (in pixels of the whole); not to be changed.

        Raises what `read` raises.
        """
        with self._one_at_a_time:
            if frame not in self._held:
                if frame in self._filed:
                    return self._filed.rows(frame, box)
                self._hold(frame, self._read(frame))
            pixels = self._held[frame]
        return pixels if box is None else pixels[box.slices]

    def put(self, frame: int, pixels: Pixels) -> None:
        """Take what `read` would return for a frame from whoever has it."""
        with self._one_at_a_time:
            if frame not in self._held and frame not in self._filed:
                self._hold(frame, pixels)

    def close(self) -> None:
        """Give memory and file back."""
        self._held.clear()
        self._filed.close()
        self._filed = _File()

    def _hold(self, frame: int, pixels: Pixels) -> None:
        self._held[frame] = pixels
        held = sum(each.nbytes for each in self._held.values())
        while held > MEMORY_BYTES and len(self._held) > 1:
            far = max((each for each in self._held if each != frame), key=self._distance)
            away = self._held.pop(far)
            held -= away.nbytes
            if far not in self._filed:
                self._filed.put(far, away, self._distance)

    def _distance(self, frame: int) -> int:
        return abs(frame - self._center)


class _File:
    """Arrays of one size in a file without a name."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._places: dict[int, tuple[int, np.dtype[Any], tuple[int, ...]]] = {}
        self._free: list[int] = []
        self._size = 0
        self._most = 0

    def __contains__(self, frame: int) -> bool:
        return frame in self._places

    def frames(self) -> list[int]:
        """Return the frames that are there."""
        return list(self._places)

    def put(self, frame: int, pixels: Pixels, distance: Callable[[int], int]) -> None:
        """Store a frame; where there is no room in the place of the farthest, if that is farther."""
        self._begin(pixels.nbytes)
        if pixels.nbytes != self._size:
            return
        if not self._free and len(self._places) >= self._most:
            far = max(self._places, key=distance, default=frame)
            if distance(far) <= distance(frame):
                return
            self.drop([far])
        place = self._free.pop() if self._free else len(self._places)
        try:
            self._write(place, pixels)
        except OSError:  # the disk is full: what is there must do
            self._most = len(self._places)
            return
        self._places[frame] = place, pixels.dtype, pixels.shape

    def rows(self, frame: int, box: Box | None) -> Pixels:
        """Return a stored frame, or a box of it."""
        assert self._file is not None  # the frame was put
        place, dtype, (height, width, channels) = self._places[frame]
        wanted = Box(0, 0, width, height) if box is None else box
        row = width * channels * dtype.itemsize
        self._file.seek(place * self._size + wanted.y0 * row)
        stored = np.frombuffer(self._file.read(wanted.height * row), dtype)
        return stored.reshape(wanted.height, width, channels)[:, wanted.x0 : wanted.x1]

    def drop(self, frames: list[int]) -> None:
        """Forget frames; their places are used again."""
        self._free += [self._places.pop(frame)[0] for frame in frames]

    def close(self) -> None:
        """Give the file back, with all that is in it."""
        if self._file is not None:
            self._file.close()

    def _begin(self, size: int) -> None:
        if self._size == 0:
            room = min(FILE_BYTES, shutil.disk_usage(tempfile.gettempdir()).free // 2)
            self._size, self._most = size, room // size

    def _write(self, place: int, pixels: Pixels) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="cleanplate-")  # noqa: SIM115 (lives as long as this)
        self._file.seek(place * self._size)
        self._file.write(np.ascontiguousarray(pixels).tobytes())
        self._file.flush()

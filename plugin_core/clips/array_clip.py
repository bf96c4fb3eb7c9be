"""Pictures handed over in memory, one after the other, as a clip.

They are pulled when a frame is asked for, each once and in order. What was pulled lies in a file of a
temporary folder until it is forgotten: so memory holds no more of a long shot than of a short one, whatever
is looked at again.
"""

from __future__ import annotations

import io
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..disk.fingerprint import Fingerprint
from ..errors import ImageError, InputError, MissingFramesError, WriteError
from ..images import Header, Matte, Plate, matte_from
from ..images.plate import Group, Part
from ..images.read import header_of

FORMAT = "array"
"""What `Header.format` says of such pictures."""

_TYPES = {"uint8": "uint8", "uint16": "uint16", "float16": "half", "float32": "float"}
_TYPES_WORDS = "uint8, uint16, float16 or float32"
_CHANNELS = {1: ("Y",), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}


class ArrayClip:
    """Arrays as numbered frames; a `clips.clip.Clip`. For several threads, one at a time.

    Args:
        arrays: one a frame; or a single one for all frames, with ``still``. Each is whatever NumPy takes as
            an array (``__array__``, a CPU tensor): (H, W, 3 or 4) of uint8, uint16, float16 or float32; of
            mattes also (H, W) and (H, W, 1), and bool. All plates have the shape and the type of the first.
        name: what they are called in messages: picture 0 is ``name[0]``.
        folder: that takes what was pulled; it must be there, and be removed by whoever made it.
        first: number of the first frame.
        mattes: whether they are mattes: then their files are packed, since mattes are mostly flat.
        still: whether the one array serves every frame.
    """

    def __init__(
        self,
        arrays: Iterable[object],
        name: str,
        folder: Path,
        *,
        first: int,
        mattes: bool = False,
        still: bool = False,
    ) -> None:
        self._arrays: Iterator[object] = iter(arrays)
        self._name = name
        self._folder = folder
        self._first = 0 if still else first
        self._mattes = mattes
        self._still = still
        self._count: int | None = 1 if still else None
        self._pulled = 0
        self._kept_from = 0
        self._expected: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self._header: Header | None = None
        self._broken: Exception | None = None
        self._pulling = threading.Lock()

    @property
    def name(self) -> str:
        """How the arrays are called in messages."""
        return self._name

    @property
    def is_still(self) -> bool:
        """Whether one array serves every frame."""
        return self._still

    def expect(self, count: int) -> None:
        """Tell how many there are; then one that is missing or too many is an error."""
        self._count = count

    def pull_all(self) -> Iterator[int]:
        """Pull all that there are, and yield how many were, after each; then `expect` so many."""
        while self._pull():
            yield self._pulled
        self._count = self._pulled

    def frames(self) -> list[int]:
        """Return the frames that there are; of those still to come as many as are expected."""
        if self._still:
            return []
        count = self._pulled if self._count is None else self._count
        return list(range(self._first, self._first + count))

    def path(self, frame: int) -> Path:
        """Return the file that a frame lies in, pulled now if it was not."""
        self._reach(self._index(frame))
        return self._file(self._index(frame))

    def header(self, frame: int) -> Header:
        """Return the header that all frames share; pulls the first."""
        if self._header is None:
            self._header = self.plate(self._first).header
        return self._header

    def plate(self, frame: int) -> Plate:
        """Return a frame in an array of its own. Raises ImageError, MissingFramesError, WriteError."""
        index = self._index(frame)
        self._reach(index)
        pixels = self._stored(index)
        height, width, channels = pixels.shape
        spec = oiio.ImageSpec(width, height, channels, _TYPES[pixels.dtype.name])
        spec.channelnames = _CHANNELS[channels]
        header = header_of(Path(self._called(index)), FORMAT, [spec])
        return Plate(header, (Part(spec, (Group(0, pixels),)),))

    def matte(self, frame: int, channel: str, plate: Header | None = None) -> Matte:
        """Return a frame as a matte. Raises as `plate`."""
        return matte_from(self.plate(frame), channel)

    def fingerprint(self, frame: int) -> Fingerprint:
        """Return what a frame is like, by its pixels. Raises as `plate`."""
        return Fingerprint.of(self.path(frame))

    def again(self) -> ArrayClip:
        """Return itself: every frame that was pulled is a file."""
        return self

    def forget_before(self, frame: int) -> None:
        """Give back what lies before a frame; it is not asked for any more."""
        index = max(0, self._index(frame))
        with self._pulling:
            for gone in range(self._kept_from, min(index, self._pulled)):
                self._file(gone).unlink(missing_ok=True)
            self._kept_from = max(self._kept_from, index)

    def _index(self, frame: int) -> int:
        return 0 if self._still else frame - self._first

    def _called(self, index: int) -> str:
        return self._name if self._still else f"{self._name}[{index}]"

    def _file(self, index: int) -> Path:
        return self._folder / f"{self._name}.{index}.npy"

    def _reach(self, index: int) -> None:
        with self._pulling:
            if index < min(self._kept_from, self._pulled):
                raise ValueError(f"{self._called(index)} was forgotten: kept from {self._kept_from} on")
            while self._pulled <= index:
                if not self._pull():
                    wanted = index + 1 if self._count is None else self._count
                    raise MissingFramesError(
                        f"{self._name} ended after {self._pulled}, expected {wanted}, as many as there are "
                        "mattes; hand over a matte for every frame, and no more."
                    )

    def _pull(self) -> bool:
        """Take the next array, unless there is none. What went wrong once, goes wrong ever after."""
        if self._broken is not None:
            raise self._broken
        try:
            return self._take()
        except Exception as error:
            self._broken = error  # the array is gone: those after it would count one too low
            raise

    def _take(self) -> bool:
        try:
            given = next(self._arrays)
        except StopIteration:
            return False
        index = self._pulled
        array = self._checked(given, index)
        if index >= self._kept_from:
            self._store(index, array)
        self._pulled += 1
        if self._pulled == self._count and not self._still:
            self._check_ended()
        return True

    def _check_ended(self) -> None:
        more = next(self._arrays, self)
        if more is not self:
            raise InputError(
                f"There are more {self._name} than the {self._count} mattes; hand over a matte for every "
                "frame: an empty one where nothing is to be filled."
            )

    def _checked(self, given: object, index: int) -> NDArray[Any]:
        """Return an array (H, W, C) of the computer's own byte order. Raises ImageError."""
        called = self._called(index)
        try:
            array = np.asarray(given)
        except Exception as error:  # whatever somebody's __array__ raises
            raise ImageError(
                f"{called} can't be taken as an array ({error}); hand over NumPy arrays, or tensors in the "
                "CPU's memory."
            ) from error
        shape, kind = array.shape, array.dtype
        if self._mattes and kind == np.bool_:
            array = array.astype(np.uint8) * np.uint8(255)
        if self._mattes and array.ndim == 2:
            array = array[:, :, None]
        channels = (1, 3, 4) if self._mattes else (3, 4)
        fits = array.ndim == 3 and array.shape[2] in channels and 0 not in array.shape
        if not fits or array.dtype.name not in _TYPES:
            shapes = "(H, W), (H, W, 3) or (H, W, 4)" if self._mattes else "(H, W, 3) or (H, W, 4)"
            types = f"bool, {_TYPES_WORDS}" if self._mattes else _TYPES_WORDS
            raise ImageError(f"{called} is {shape} {kind}; expected {shapes} of {types}.")
        found = array.shape, array.dtype
        if self._expected is None:
            self._expected = found
        elif not self._mattes and found != self._expected:
            wanted_shape, wanted = self._expected
            raise ImageError(
                f"{called} is {shape} {kind}; expected {wanted_shape} {wanted}, as {self._called(0)} is."
            )
        return np.ascontiguousarray(array, array.dtype.newbyteorder("="))

    def _store(self, index: int, array: NDArray[Any]) -> None:
        try:
            with self._file(index).open("wb") as file:
                if not self._mattes:
                    np.lib.format.write_array(file, array, allow_pickle=False)
                    return
                whole = io.BytesIO()
                np.lib.format.write_array(whole, array, allow_pickle=False)
                file.write(zlib.compress(whole.getbuffer(), 1))
        except OSError as error:
            raise WriteError(
                f"{self._called(index)} can't be kept in {self._folder} ({error.strerror or error}); give "
                "a folder with more room (folder=)."
            ) from error

    def _stored(self, index: int) -> NDArray[Any]:
        try:
            with self._file(index).open("rb") as file:
                stored = io.BytesIO(zlib.decompress(file.read())) if self._mattes else file
                array: NDArray[Any] = np.lib.format.read_array(stored, allow_pickle=False)
        except (OSError, ValueError, zlib.error) as error:
            raise ImageError(f"{self._called(index)} can't be read back ({error}).") from error
        return array

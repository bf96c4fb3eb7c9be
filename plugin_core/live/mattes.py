"""What is filled on each frame of a stream: its own matte, a second stream's, or a box."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError, MissingFramesError, SettingsError
from .handoff import Handoff
from .picture import Incoming
from .source import Reader

_BOX = re.compile(r"(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})")


class Mattes(Protocol):
    """Says what is filled. Asked once for every frame that comes, in order."""

    def of(self, frame: Incoming, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return (H, W), where the frame is filled; ``rgb`` is its picture, (H, W, 3) uint8."""
        ...


class OwnMattes:
    """The matte that comes with each frame: beside it, or as its alpha."""

    def of(self, frame: Incoming, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the frame's matte. Raises SettingsError where it has none."""
        if frame.matte is not None:
            return frame.matte
        if not frame.picture.layout.pixels.alpha:
            raise SettingsError(
                f"The video ({frame.picture.layout}) has no matte: give --matte or --box, "
                "or send it as alpha (--pix-fmt rgba) or before each frame (--pix-fmt gray+rgb)."
            )
        return frame.picture.matte()


class BoxMatte:
    """One box on all frames, as far as it is inside.

    Args:
        box: left, top, width, height.
    """

    def __init__(self, box: tuple[int, int, int, int]) -> None:
        self._box = box

    def of(self, frame: Incoming, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the box. Raises SettingsError where the frame has nothing of it."""
        left, top, width, height = self._box
        rows, columns = rgb.shape[:2]
        if top >= rows or left >= columns:
            raise SettingsError(
                f"--box {left},{top},{width},{height} lies outside the video, which is {columns}x{rows}."
            )
        hole = np.zeros((rows, columns), bool)
        hole[top : top + height, left : left + width] = True
        return hole


def box_of(text: str) -> tuple[int, int, int, int]:
    """Read ``X,Y,W,H``. Raises SettingsError."""
    found = _BOX.fullmatch(text)
    if found is None or not int(found[3]) or not int(found[4]):
        raise SettingsError(f"--box {text} is no box; expected X,Y,W,H, as in 600,300,160,160.")
    return int(found[1]), int(found[2]), int(found[3]), int(found[4])


class StreamedMattes:
    """A second stream, whose pictures are read as `Picture.matte` says.

    It is opened and read by a thread of its own, a frame ahead: a sender that writes both streams is never
    waited for on one while it waits on the other.

    Args:
        opened: opens the reader of the mattes.
        name: of the stream, for messages.
        invert: black is filled.
    """

    def __init__(self, opened: Callable[[], Reader], name: str, *, invert: bool) -> None:
        self._name = name
        self._invert = invert
        self._number = 0
        self._coming: Handoff[NDArray[np.bool_]] = Handoff()
        threading.Thread(target=self._read, args=(opened,), name="matte", daemon=True).start()

    def of(self, frame: Incoming, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the next matte.

        Raises:
            MissingFramesError: the mattes have ended before the plates.
            ImageError: it has another size than the plate.
        """
        matte = self._coming.take()
        if matte is None:
            raise MissingFramesError(
                f"The matte {self._name} ended after {self._number} frames and the plate goes on; "
                "send one for each frame."
            )
        self._number += 1
        if matte.shape != rgb.shape[:2]:
            sizes = [f"{shape[1]}x{shape[0]}" for shape in (matte.shape, rgb.shape)]
            raise ImageError(
                f"Frame {self._number} of the matte {self._name} is {sizes[0]}; expected {sizes[1]}."
            )
        return ~matte if self._invert else matte

    def _read(self, opened: Callable[[], Reader]) -> None:
        try:
            for frame in opened():
                if not self._coming.put(frame.picture.matte()):
                    return
        except BaseException as error:
            self._coming.end(error)
        finally:
            self._coming.end()

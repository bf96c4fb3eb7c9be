"""Frames as they come in, filled from the past alone: the door of the live mode."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..job.settings import Settings
from ..network.contract import Network
from ..network.session import Session
from ..regions.hole import Hole, hole_of
from .past import PastFiller, Stats

Array = NDArray[np.uint8]


class CausalFiller:
    """Fills one take's frames in their order; a frame goes out when it has come in.

    Beyond the matte, grown and feathered as the settings say, not a bit differs. Nothing is read ahead: a
    frame depends on itself and on those before it since the last cut. Not for several threads at once.

    Args:
        model: an opened model's network (`Model.network`), or a bundle's name or path, which is opened.
        width, height: of every frame, in pixels.
        settings: of them grow, feather, feather side and the matte's threshold count.
        threads: of the network's, where it is opened here; None for one, which is quickest for a hole's size.

    Raises:
        InputError: the size is none.
        ModelError, DeviceError: the model can't be opened.
    """

    def __init__(
        self,
        model: Network | str | os.PathLike[str],
        width: int,
        height: int,
        settings: Settings | None = None,
        threads: int | None = None,
    ) -> None:
        if width < 1 or height < 1:
            raise InputError(f"Frames of {width}x{height} can't be filled.")
        if isinstance(model, str | os.PathLike):
            model = Session.open(model, threads=threads or 1)
        self._size = width, height
        self._settings = settings or Settings()
        self._past = PastFiller(model)

    @property
    def stats(self) -> Stats:
        """Of the last step: milliseconds by stage, and what of the hole was seen before, how long ago."""
        return self._past.stats

    def step(self, plate: Array, matte: NDArray[Any]) -> Array:
        """Fill the next frame.

        Args:
            plate: (H, W, 3) uint8 RGB, display-referred; not changed, and not kept.
            matte: (H, W), bool, or uint8 that is filled above 127.

        Returns:
            The frame filled, in an array of its own.

        Raises:
            InputError: plate or matte are of another size or type.
        """
        self._check(plate, matte)
        hole = hole_above(matte > 127 if matte.dtype == np.uint8 else matte, self._settings)
        fill = self._past.fill(plate, hole)
        filled = plate.copy()
        if hole is not None and fill is not None:
            part = filled[hole.box.slices]
            under = part.astype(np.float32)
            mixed = under + hole.alpha[..., None] * (fill * np.float32(255) - under)
            np.copyto(part, np.clip(np.rint(mixed), 0, 255).astype(np.uint8), where=hole.alpha[..., None] > 0)
        return filled

    def cut(self) -> None:
        """Forget everything: the next frame begins a new take."""
        self._past.cut()

    def _check(self, plate: NDArray[Any], matte: NDArray[Any]) -> None:
        width, height = self._size
        if plate.shape != (height, width, 3) or plate.dtype != np.uint8:
            raise InputError(
                f"The frame is {plate.shape} {plate.dtype}; expected {(height, width, 3)} uint8."
            )
        if matte.shape != (height, width) or matte.dtype not in (np.dtype(np.bool_), np.dtype(np.uint8)):
            raise InputError(
                f"The matte is {matte.shape} {matte.dtype}; expected {(height, width)} bool or uint8."
            )


def hole_above(matte: NDArray[np.bool_], settings: Settings) -> Hole | None:
    """Make the hole of a matte (H, W) that is true where the object is; None where nothing is filled."""
    return hole_of(matte.astype(np.float32), settings)

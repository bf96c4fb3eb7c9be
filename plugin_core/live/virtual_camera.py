"""The result as a camera that other programs can open, through pyvirtualcam where that is installed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .picture import Picture
from .pixel_format import FORMATS, Layout
from .stream import Work

_USUAL_RATE = 30.0


class VirtualCamera:
    """Sends frames to a virtual camera, which is opened by the first and keeps its size.

    Attributes:
        rate: frames a second, to be set before the first; None for 30.

    Args:
        device: the system's name; None for the first that is free.

    Raises:
        InputError: pyvirtualcam is not installed, or there is no such camera.
    """

    def __init__(self, device: str | None) -> None:
        try:
            import pyvirtualcam
        except ImportError:
            raise InputError(
                "--virtual-camera needs pyvirtualcam: pip install 'cleanplate[camera]' "
                "(and v4l2loopback on Linux, OBS on macOS and Windows)."
            ) from None
        self._open = pyvirtualcam.Camera
        self._device = device
        self.rate: Fraction | None = None
        self._camera: Any = None
        self._layout: Layout | None = None

    def write(self, work: Work, fill: NDArray[np.uint8], missed: int) -> None:
        """Show a frame."""
        height, width = fill.shape[:2]
        own = Layout(width, height, FORMATS["rgb24"])
        if self._layout is None:
            try:
                rate = _USUAL_RATE if self.rate is None else float(self.rate)
                self._camera = self._open(width, height, rate, device=self._device)
            except RuntimeError as error:
                told = str(error).rstrip(".")
                raise InputError(f"No virtual camera can be opened: {told}.") from None
            self._layout = own
        picture = Picture(own, np.ascontiguousarray(fill).reshape(-1)).as_layout(self._layout)
        self._camera.send(picture.planes[0])

    def close(self) -> None:
        """Close the camera."""
        if self._camera is not None:
            self._camera.close()

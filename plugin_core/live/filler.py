"""What a stream asks of whatever fills its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Filler(Protocol):
    """Fills frames of one size, one after the other, from those before."""

    def step(self, plate: NDArray[np.uint8], matte: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the frame filled: (H, W, 3) uint8, display-referred, outside the matte untouched.

        The plate is not changed, and may be kept.
        """
        ...

    def cut(self) -> None:
        """Forget everything: a new take."""
        ...


OpenFiller = Callable[[int, int], Filler]
"""Opens one for frames of a width and a height."""

"""The embedded shots by name, as what renders them and shows them needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plugin_core import sample
from plugin_core.sample import lake

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES: Sequence[str] = ("balloon", "lake")


@dataclass(frozen=True)
class EmbeddedShot:
    """One of the embedded shots.

    Attributes:
        title: what it is, for a headline.
        plate, matte, clean: patterns of the files, #### for the frame number; `clean` is the truth.
        suffix: of the files, with its dot.
        first, last: of the frames.
        linear: whether the plate is scene-linear (Rec.709); else it is as a screen shows it (sRGB).
    """

    title: str
    plate: str
    matte: str
    clean: str
    suffix: str
    first: int
    last: int
    linear: bool

    def light(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        """R, G, B as in the plate's files (H, W, 3) as scene-linear light."""
        if self.linear:
            return stored
        from plugin_core.sample.lake.compose import srgb_to_linear

        return srgb_to_linear(stored)


def embedded_shot(name: str, folder: Path) -> EmbeddedShot:
    """The shot of that name, one of `NAMES`; one whose frames are made when asked for gets them in `folder`.

    Raises:
        WriteError: the folder or the disk does not take the frames.
    """
    if name == "lake":
        from plugin_core.sample.lake.compose import write_lake

        plate, matte, clean = write_lake(folder)
        return EmbeddedShot("the lake shot", plate, matte, clean, ".png", lake.FIRST, lake.LAST, linear=False)
    return EmbeddedShot(
        "the embedded sample shot",
        sample.plate_pattern(),
        sample.matte_pattern(),
        sample.clean_pattern(),
        ".exr",
        sample.FIRST,
        sample.LAST,
        linear=True,
    )

"""What is asked of a restoration."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..damage.finder import Kind, Search
from ..job.settings import Settings, Shot
from ..job.strict import Strict

KINDS: dict[str, frozenset[Kind]] = {
    "dirt": frozenset(("dirt",)),
    "scratches": frozenset(("scratch",)),
    "all": frozenset(("dirt", "scratch")),
}


class Restoration(Strict):
    """One run of `detect` or `restore`.

    Attributes:
        plate, output, frames, colorspace, ocio_config, view, compression, bit_depth, cuts: as of a render
            (`job.settings.Shot`); of `detect` the output is the mattes.
        kinds, sensitivity, polarity, contrast, smallest, largest: what is looked for
        (`damage.finder.Search`).
        protect: mattes of what is never damage, white; a sequence, a still or a movie. None for none.
        grain: whether what is repaired gets the plate's grain.
        finds: a list of finds to go by (`find_list`); None to take all that is found.
        review: folder for the list of finds and its sheets; None for none.
        resume, overwrite: what becomes of frames that are there.
    """

    plate: str = Field(min_length=1)
    output: str = Field(min_length=1)
    frames: str | None = None
    colorspace: str = "auto"
    ocio_config: str | None = None
    view: str | None = None
    compression: str | None = None
    bit_depth: Literal["8", "10", "12", "16", "half", "float"] | None = None
    cuts: tuple[int, ...] | str = ()
    kinds: Literal["dirt", "scratches", "all"] = "all"
    sensitivity: float = Field(0.5, ge=0, le=1)
    polarity: Literal["white", "black", "both"] = "both"
    contrast: float = Field(10, ge=4, le=200)
    smallest: int = Field(2, ge=1, le=1_000_000)
    largest: int | None = Field(None, ge=1)
    protect: str | None = None
    grain: Literal["auto", "off"] = "auto"
    finds: str | None = None
    review: str | None = None
    resume: bool = False
    overwrite: bool = False

    def shot(self) -> Shot:
        """Return the shot as a render knows it. There is no matte: the plate stands for it."""
        names = ("plate", "output", "frames", "colorspace", "ocio_config", "view", "compression", "bit_depth")
        return Shot(matte=self.plate, cuts=self.cuts, **{name: getattr(self, name) for name in names})

    def settings(self) -> Settings:
        """Return settings of a render that has them at their defaults."""
        return Settings()

    def search(self) -> Search:
        """Return what is looked for."""
        return Search(
            KINDS[self.kinds], self.sensitivity, self.polarity, self.contrast, self.smallest, self.largest
        )

    def key(self, what: str) -> dict[str, str]:
        """Return what the written pixels depend on, by name."""
        names = ("kinds", "sensitivity", "polarity", "contrast", "smallest", "largest", "protect", "grain")
        more = ("finds", "colorspace", "view", "compression", "bit_depth", "cuts")
        return {"what": what, **{name: str(getattr(self, name)) for name in (*names, *more)}}

"""What a step needs of its frames, read and brought to what the network takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..disk.fingerprint import Fingerprint
from ..images import Plate
from ..network.contract import Guide, Mask, Picture
from ..patch import Patch
from ..regions.hole import Hole
from ..regions.lanes import Lane
from ..regions.region import Region
from ..schedule import Step
from ..state.carry_follow import Change

Shown = tuple[Picture, Mask]
"""A frame as the network sees it through a crop."""


@dataclass(frozen=True)
class SeenFrame:
    """A frame that was read.

    Attributes:
        hole: at plate resolution.
        patch: what the stages found for it.
        windows: the frame as each lane's network sees it, by lane, over all that its crop comes to while it
            looks at this frame; the mask as bools, for a dozen frames are kept.
    """

    hole: Hole | None
    patch: Patch | None
    windows: Mapping[str, tuple[Region, Picture, NDArray[np.bool_]]]

    def on(self, lane: Lane, region: Region) -> Shown:
        """Return the frame as seen through a lane's crop."""
        window, picture, mask = self.windows[lane.name]
        return window.part(picture, region), window.part(mask, region).astype(np.float32)


@dataclass(frozen=True)
class LaneRead:
    """What one lane's step needs.

    Attributes:
        lane: whose step it is.
        region: where its crop stands.
        target: the frame to fill.
        encode: frames to encode as sources now; earlier ones are still there.
        keep: source frames that later steps use.
        anew: True where no features of earlier steps can be used: the crop has moved.
        behind: the step before's frame on this crop, where that step's crop stood elsewhere or flows are
            given.
        change: how the plate around the hole moved and brightened since the step before; None for not at all.
        guide: the flows to the sources, for a network that takes them.
    """

    lane: Lane
    region: Region
    target: Shown
    encode: Mapping[int, Shown]
    keep: frozenset[int]
    anew: bool
    behind: Shown | None
    change: Change | None
    guide: Guide | None = None


@dataclass(frozen=True)
class StepInput:
    """All that one step needs.

    Attributes:
        step: which step.
        lanes: what each lane that lives needs.
        hole: the hole of the frame to fill, at plate resolution.
        patch: what the stages found for that hole.
        plate: what the fill is laid into; None for a warm-up step.
        plate_is_kept: True where that plate may be looked at again: then it must not be changed.
        notes: what to tell of the pictures that were read for it.
        prints: fingerprints of the files read for this step and not for an earlier one.
        references: the reference frames that have a part in it, or in a step since the last written frame.
    """

    step: Step
    lanes: tuple[LaneRead, ...]
    hole: Hole | None
    patch: Patch | None
    plate: Plate | None
    plate_is_kept: bool
    notes: tuple[str, ...]
    prints: Mapping[int, Mapping[str, Fingerprint]]
    references: frozenset[int] = frozenset()

"""What the core asks of a recurrent inpainting network, without saying how it is run.

`session.Session` runs a bundle through ONNX Runtime; tests use small networks of their own. A step is a pure
function: the same frame, mask, sources and carry give the same fill and carry, and nothing is remembered
between calls. All pictures here are float32, channels first, RGB, in the network's range -1..1
(display-referred, not clamped); masks are float32 (1, H, W), 1 in the hole and 0 elsewhere. H and W are
multiples of `size_multiple`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .channel_order import ChannelOrder

Picture = NDArray[np.float32]
"""(3, H, W), RGB, -1..1."""

Mask = NDArray[np.float32]
"""(1, H, W), 1 in the hole."""

Guide = tuple[NDArray[np.float32], ...]
"""Given flows at each of `guide_scales`, (sources, 3, H / scale, W / scale): for each source the flow to it,
x and y in pixels of that scale, and its weight there, 0 or more. Where they can be trusted, weights times
what each source shows of a pixel come to 1."""

PREVIOUS_OUTPUT = "output"
"""Name, in a carry, of the picture that the step before put out, (..., 3, H, W) in the network's range.

A network that has none carries nothing of that name."""

PREVIOUS_MASK = "mask"
"""Name, in a carry, of the previous output's mask, (..., 1, H, W): 1 where that shows nothing."""

PREVIOUS_SHARE = "feedback"
"""Name, in a carry, of how much of the previous output a step takes of what it would, (..., 1, h, w), 0..1.

Where it is a number, not a picture, the network does not ask for that."""

SIZES_AT_ONCE = 4
"""Sizes that a network is quick on in turn: its graphs stay open for so many."""


@dataclass(frozen=True)
class Features:
    """One frame encoded as a source; opaque, may live on a device. Serves up to four steps."""

    tensors: tuple[Any, ...]


@dataclass(frozen=True)
class Carry:
    """What one step hands to the next, by the names the model's manifest gives; opaque, may live on a device.

    `Network.fetch` brings it to host memory, `Network.put` back.
    """

    tensors: Mapping[str, Any]


@dataclass(frozen=True)
class StepOutput:
    """One step's result.

    Attributes:
        fill: the network's whole picture, (3, H, W) RGB, -1..1, unclamped; only its hole is of use.
        carry: what the next frame's step takes.
        debug: further outputs by name (flows, composition masks), empty unless asked for.
    """

    fill: Picture
    carry: Carry
    debug: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


class NetworkShape(Protocol):
    """What can be known of a network without opening it on a device; a model bundle knows it too."""

    @property
    def model_id(self) -> str:
        """Identifies the model's numbers (hash of its graphs): states of another model are refused."""
        ...

    @property
    def source_offsets(self) -> tuple[int, ...]:
        """Frames beside the target used as sources, in stream order: (-6, -3, 3, 6)."""
        ...

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this many pixels."""
        ...

    @property
    def hole_reach(self) -> int | None:
        """Pixels that a hole may be deep: nothing reaches what lies deeper. None where that is not known."""
        ...

    @property
    def guide_scales(self) -> tuple[int, ...]:
        """Network pixels per pixel of each level at which a step takes flows; none where it takes none.

        Such a network is handed its carry moved as the background has moved, the plate put back into the
        previous output where it is known and fits, that one hidden, 0 under a mask of 1, where somebody
        walks over a background that stands, and its share lowered where it doesn't go on from what is known
        around the hole.
        """
        ...


class Network(NetworkShape, Protocol):
    """A recurrent network opened on a device."""

    @property
    def channel_order(self) -> ChannelOrder:
        """Order of the channels of pictures in a carry. All other pictures are RGB."""
        ...

    @property
    def working_size(self) -> int:
        """Side of the largest square, in pixels, that it works on unless told: by its device and memory."""
        ...

    def encode(self, frame: Picture, mask: Mask) -> Features:
        """Encode one frame as a source. What lies in the hole is ignored but must be finite."""
        ...

    def start(self, frame: Picture, mask: Mask) -> Carry:
        """Return the carry before a shot's first frame (or the first after a cut)."""
        ...

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        guide: Guide | None = None,
        debug: bool = False,
    ) -> StepOutput:
        """Fill one frame from its sources (in the order of `source_offsets`) and the carry.

        `guide` is for a network that takes flows; without one its sources count alike, where they lie.
        With `debug` the result also holds what the model can show of its work; the rest stays the same.
        """
        ...

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        """Copy a carry to host memory; pictures in it keep `channel_order`."""
        ...

    def put(self, arrays: Mapping[str, NDArray[np.float32]]) -> Carry:
        """Bring a fetched carry back. Raises StateError when names or shapes are not this model's."""
        ...

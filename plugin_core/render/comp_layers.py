"""What a render writes for a comp beside the filled picture: the patch as a sequence, or layers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..box import Box
from ..compose.fill_layers import NOWHERE, as_layer, layers_over, patch_planes
from ..compose.paste import Fill
from ..compose.source_layers import source_planes
from ..images import Plate
from ..images.layers import Layers, picture_of
from .plan import Plan
from .step_input import StepInput


class CompLayers:
    """Makes a render's layers.

    Args:
        plan: says which, and whether they go into the output or into a sequence of their own.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._layers = plan.sources.layers

    @property
    def takes_fills(self) -> bool:
        """Whether the fill alone is asked for."""
        return self._plan.sources.patch is not None or "patch" in self._layers

    def of_output(self, given: StepInput | None, fills: Sequence[Fill]) -> Layers | None:
        """Return what is added to a frame of the output; None for nothing.

        Args:
            given: the step that it was made in; None for a frame without a hole.
            fills: what was laid into its plate.
        """
        if not self._plan.sources.own_layers:
            return None
        box = self._box(given)
        planes: dict[str, NDArray[Any]] = {}
        if "patch" in self._layers:
            header = self._plan.sources.header
            planes |= as_layer(patch_planes(fills, box, header), header)
        planes |= self._more(given, box)
        return layers_over(box, planes, self._plan.sources.header)

    def patch(self, path: Path, plate: Plate, given: StepInput | None, fills: Sequence[Fill]) -> Plate:
        """Return a frame of the patch's own sequence.

        Args:
            path: what it will be called.
            plate: the frame's, untouched or not.
            given, fills: as of `of_output`.
        """
        header = self._plan.sources.header
        whole = Box(0, 0, header.width, header.height)
        box = whole if self._plan.sources.whole_patch else self._box(given)
        planes = patch_planes(fills, box, header) | self._more(given, box)
        return picture_of(path, layers_over(box, planes, header), plate)

    def _more(self, given: StepInput | None, box: Box) -> dict[str, NDArray[Any]]:
        if "source" not in self._layers:
            return {}
        hole, patch = (None, None) if given is None else (given.hole, given.patch)
        return source_planes(hole, patch, self._plan.rest, self._plan.sources.header, box)

    def _box(self, given: StepInput | None) -> Box:
        return NOWHERE if given is None or given.hole is None else given.hole.box

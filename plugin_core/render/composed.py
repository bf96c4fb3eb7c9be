"""A frame between the blend and the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..compose.paste import Fill
from ..images import Plate
from ..network.contract import StepOutput
from .step_input import StepInput


@dataclass(frozen=True)
class Composed:
    """A frame, ready to be written.

    Attributes:
        given: the step that it was made in.
        outputs: what the network gave for every lane, by its name.
        clean: the filled plate; None where the frame has no hole.
        fills: what was laid into it, where that is asked for alone.
    """

    given: StepInput
    outputs: Mapping[str, StepOutput]
    clean: Plate | None
    fills: tuple[Fill, ...] = ()

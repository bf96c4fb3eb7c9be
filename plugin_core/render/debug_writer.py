"""Write a render's debug layers, one EXR a frame; the layers are told in `debug_layers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..clips.sequence import FileSequence
from ..compose.debug_layers import CropView, debug_picture, says_nothing
from ..disk.folders import make_folder
from ..errors import InputError, SettingsError, WriteError
from ..images import Plate, write_plate
from ..network.contract import Network, StepOutput
from .plan import Plan
from .sources import Sources
from .step_input import StepInput

_NO_MOTION = "Debug layers: every flow is exactly 0, this model moves nothing."
_NO_LAYERS = "Debug layers: this model shows neither flows nor composition masks."


class DebugWriter:
    """Writes what was seen and said on every frame that the network had a part in.

    Args:
        sequence: where to.
        plan: of the render.
        network: whose sources the flows lead to.
    """

    def __init__(self, sequence: FileSequence, plan: Plan, network: Network) -> None:
        self._sequence = sequence
        self._plan = plan
        self._offsets = network.source_offsets

    def write(self, given: StepInput, clean: Plate, outputs: Mapping[str, StepOutput]) -> tuple[str, ...]:
        """Write one frame; nothing where no crop lives on it. Returns notes. Raises WriteError."""
        if not given.lanes:
            return ()
        assert given.plate is not None  # warm-up steps are not written
        views = [CropView(read.region, read.target[1], outputs[read.lane.name]) for read in given.lanes]
        path = self._sequence.path(given.step.frame)
        picture = debug_picture(
            path,
            given.plate,
            clean,
            given.hole,
            views,
            self._plan.color,
            self._offsets,
            patch=given.patch,
            rest=self._plan.rest,
        )
        write_plate(picture, path, sync=False)
        if not any(view.output.debug for view in views):
            return (_NO_LAYERS,)
        return (_NO_MOTION,) if all(says_nothing(view.output) for view in views) else ()


def open_debug(asked: str, plan: Plan, network: Network) -> DebugWriter:
    """Prepare the debug output of a render.

    Args:
        asked: an EXR sequence, or a folder, where ``debug.####.exr`` is written.
        plan: of the render.
        network: that runs.

    Raises:
        SettingsError: it is no EXR sequence.
        InputError: it would overwrite the plate, the matte or the output.
        WriteError: its folder can't be made.
    """
    sequence = _sequence(asked, plan.sources)
    try:
        make_folder(sequence.folder)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(f"Debug folder {sequence.folder} can't be made ({reason}).") from error
    return DebugWriter(sequence, plan, network)


def _sequence(asked: str, sources: Sources) -> FileSequence:
    path = Path(asked)
    sequence = FileSequence.parse(path / "debug.####.exr" if path.is_dir() or not path.suffix else path)
    if sequence.is_still or sequence.extension != ".exr":
        raise SettingsError(f"Debug layers go into an EXR sequence such as name.####.exr, got {asked}.")
    others = {"output": sources.output}
    others |= {} if sources.patch is None else {"patch": sources.patch}
    others |= {what: clip.sequence for what, clip in sources.clips.items() if hasattr(clip, "sequence")}
    for what, other in others.items():
        if sequence.same_files(other):
            raise InputError(f"Debug layers {sequence} would overwrite the {what}; give another name.")
    return sequence

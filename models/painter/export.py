"""Export the painter: `python -m models.painter.export --out BUNDLE`.

The network that ships, with the painter's averaged rows beside its carriers, pruned, as a bundle. Channels
that next to nothing comes out of are left out, and the correction is shown in part. Hold a new bundle against
those that ship first,

    python -m models.evaluate --clips CLIPS --quick --variant new:model=BUNDLE,propagate=off,paint=network
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plugin_core.errors import CleanplateError, InputError
from plugin_core.network.bundle import Provenance

from ..network.prune import pruned
from ..network.reach import measured_reach
from ..onnx_export.bundle import OWN_LICENCE, export_bundle, rounded
from .checkpoint import read_checkpoint
from .hearing import Hearing
from .kept import IN_NETWORK
from .lessen import QUIET, SHOWN, leave_out_quiet, show_in_part
from .whole import whole_of
from .whole_run import progress_of


def export_painter(
    checkpoint: Path,
    out: Path,
    *,
    name: str = "vinet-painter",
    sources: bool | None = None,
    shown: float = SHOWN,
    quiet: float = QUIET,
) -> None:
    """Write the bundle.

    Args:
        checkpoint: of the painter in cells, or of the whole (`models.training.train_whole`).
        sources: whether the painter sees the frames beside; None for the checkpoint's own.
        shown: how much of the correction is shown, 0..1.
        quiet: channels whose root mean square is below are left out; 0 keeps all.

    Raises:
        InputError: the file is no checkpoint of the painter, or `shown` or `quiet` is not in its range.
        WriteError: the folder can't be written, or holds something that is no bundle.
    """
    for option, value in (("shown", shown), ("quiet", quiet)):
        if not 0 <= value <= 1:
            raise InputError(f"--{option} is a share from 0 to 1, not {value:g}.")
    tensors, state = read_checkpoint(checkpoint)
    whole = whole_of(tensors, state, sources=sources)
    leave_out_quiet(whole.painter, Hearing(whole.interpolation), quiet)
    show_in_part(whole.painter, shown)
    network = pruned(whole.network())
    progress = progress_of(state)
    seconds = state["seconds"] + (progress.seconds if progress else 0)
    details = {"checkpoint": checkpoint.name, "samples": f"{state['samples']} in {state['step']} steps"}
    if progress:
        details["in_the_network"] = f"{progress.shots} moving synthetic shots of eight frames at most"
    export_bundle(
        network,
        out,
        name=name,
        provenance=Provenance(
            kind="trained",
            summary="The wired interpolation, and beside it a painter that learned on stills how shapes go "
            "on (models/painter); the flows are given by the core, none is learned.",
            details=details
            | {"cpu_hours": f"{seconds / 3600:.1f}", "correction": f"{shown:g} of it is shown"},
        ),
        licence=OWN_LICENCE,
        hole_reach=measured_reach(rounded(network, "float16")),
        channel_order="BGR",
    )


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m models.painter.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=IN_NETWORK,
        help="of training.train_whole, or of painter.train",
    )
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--name", default="vinet-painter", help="the model's name")
    parser.add_argument(
        "--sources",
        action="store_true",
        default=None,
        help="the painter sees the frames beside, too, as one trained so does; slower",
    )
    parser.add_argument(
        "--shown", type=float, default=SHOWN, help="share of the correction that is shown, 0..1; %(default)s"
    )
    parser.add_argument(
        "--quiet",
        type=float,
        default=QUIET,
        help="leave out channels whose root mean square is below; 0 keeps all; %(default)s",
    )
    options = parser.parse_args(arguments)
    try:
        export_painter(
            options.checkpoint,
            options.out,
            name=options.name,
            sources=options.sources,
            shown=options.shown,
            quiet=options.quiet,
        )
    except CleanplateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

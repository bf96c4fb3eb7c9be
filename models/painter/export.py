"""Export the painter: `python -m models.painter.export --out BUNDLE`.

The network that ships, with the painter's averaged rows beside its carriers, pruned, as a bundle. The shipped
bundle is left as it is: hold the new one against it first,

    python -m models.evaluate --clips CLIPS --quick --variant painter:model=BUNDLE
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plugin_core.errors import CleanplateError
from plugin_core.network.bundle import Provenance

from ..network.prune import pruned
from ..network.reach import measured_reach
from ..onnx_export.bundle import OWN_LICENCE, export_bundle, rounded
from .checkpoint import read_checkpoint
from .whole import whole_of

CHECKPOINT = Path(__file__).with_name("checkpoint.safetensors")


def export_painter(
    checkpoint: Path, out: Path, *, name: str = "vinet-painter", sources: bool | None = None
) -> None:
    """Write the bundle.

    Args:
        checkpoint: of the painter in cells, or of the whole (`models.training.train_whole`).
        sources: whether the painter sees the frames beside; None for the checkpoint's own.

    Raises:
        InputError: the file is no checkpoint of the painter.
        WriteError: the folder can't be written, or holds something that is no bundle.
    """
    network = pruned(whole_of(*read_checkpoint(checkpoint), sources=sources).network())
    export_bundle(
        network,
        out,
        name=name,
        provenance=Provenance(
            kind="trained",
            summary="The wired interpolation, and a painter beside it that learned on stills.",
            details={"checkpoint": checkpoint.name},
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
        "--checkpoint", type=Path, default=CHECKPOINT, help="of models.painter.train, or a whole one"
    )
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--name", default="vinet-painter", help="the model's name")
    parser.add_argument(
        "--sources",
        action="store_true",
        default=None,
        help="the painter sees the frames beside, too, as one trained so does; slower",
    )
    options = parser.parse_args(arguments)
    try:
        export_painter(options.checkpoint, options.out, name=options.name, sources=options.sources)
    except CleanplateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

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
from ..network.vinet import VINet
from ..onnx_export.bundle import OWN_LICENCE, export_bundle, rounded
from .fit import fit_inside
from .hearing import Hearing
from .network import Painter
from .rows import Inside, wired_network, with_painter
from .trainer import open_averaged

CHECKPOINT = Path(__file__).with_name("checkpoint.safetensors")


def painted_network(painter: Painter, inside: Inside, hearing: Hearing, *, sources: bool) -> VINet:
    """A network with the painter in it, not pruned; see `with_painter`."""
    network = wired_network(hearing.interpolation)
    written = with_painter(network.state_dict(), painter, inside, hearing, sources=sources)
    network.load_state_dict(written)
    return network.eval()


def export_painter(
    checkpoint: Path, out: Path, *, name: str = "vinet-painter", sources: bool = False
) -> float:
    """Write the bundle; returns the share of the correction that its fitted kernel misses.

    Raises:
        InputError: the file is no checkpoint of the painter.
        WriteError: the folder can't be written, or holds something that is no bundle.
    """
    painter, hearing = open_averaged(checkpoint)
    inside, missed = fit_inside(painter, hearing)
    network = pruned(painted_network(painter, inside, hearing, sources=sources))
    export_bundle(
        network,
        out,
        name=name,
        provenance=Provenance(
            kind="trained",
            summary="The wired interpolation, and a painter beside it that learned on stills.",
            details={"checkpoint": checkpoint.name, "correction_missed": f"{missed:.3f}"},
        ),
        licence=OWN_LICENCE,
        hole_reach=measured_reach(rounded(network, "float16")),
        channel_order="BGR",
    )
    return missed


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m models.painter.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT, help="of models.painter.train")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--name", default="vinet-painter", help="the model's name")
    parser.add_argument(
        "--sources", action="store_true", help="the painter sees the frames beside, too; slower"
    )
    options = parser.parse_args(arguments)
    try:
        missed = export_painter(options.checkpoint, options.out, name=options.name, sources=options.sources)
    except CleanplateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {options.out}; the correction's kernel there misses {missed:.0%} of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())

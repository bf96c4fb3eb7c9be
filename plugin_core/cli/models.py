"""The command `cleanplate models`."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..progress.terminal import say
from .json_file import add_json, hand_over

if TYPE_CHECKING:
    from ..network.bundle import Manifest


def add(commands: Any) -> None:
    """Add the command's parser."""
    models = commands.add_parser("models", help="list, import and verify model bundles")
    actions = models.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="list installed bundles")
    add_json(listed, "the list")
    listed.set_defaults(command=_list)
    verify = actions.add_parser("verify", help="check a bundle's hashes and run its graphs")
    verify.add_argument("bundle", metavar="BUNDLE", help="name or path")
    verify.add_argument("--golden", metavar="DIR", help="compare with the vectors in this folder")
    verify.set_defaults(command=_verify)
    imported = actions.add_parser(
        "import",
        help="turn a published-format checkpoint into a bundle (needs cleanplate[train])",
        old={"--out": "--output"},
    )
    imported.add_argument("checkpoint", metavar="CHECKPOINT", help="torch file with a state_dict")
    imported.add_argument("--variant", type=int, choices=(512, 256), required=True)
    imported.add_argument("--output", metavar="BUNDLE", required=True, help="folder to write")
    imported.add_argument(
        "--weights",
        choices=("float32", "float16"),
        default="float32",
        help="how weights are stored: exact, or at half the size (float32)",
    )
    imported.add_argument(
        "--int8",
        action="store_true",
        help="convolve in 8 bits on x86 processors: quicker, and a little off",
    )
    imported.add_argument("--licence", help="licence of the weights, noted in the manifest")
    imported.set_defaults(command=_import)


def _list(arguments: argparse.Namespace) -> int:
    from ..network.bundle import Bundle, known_bundles

    fields = [_described(name, path, Bundle.open(path).manifest) for name, path in known_bundles()]
    lines = [f"{one['name']}  variant {one['variant']}  {one['weights']}  {one['licence']}" for one in fields]
    hand_over(fields, arguments.json, lines)
    return 0


def _described(name: str, path: Path, manifest: Manifest) -> dict[str, Any]:
    about = {"variant": manifest.variant, "weights": manifest.weights, "licence": manifest.licence}
    return {"name": name, **about, "path": str(path)}


def _verify(arguments: argparse.Namespace) -> int:
    from ..network.bundle import find_bundle
    from ..network.verify import verify_bundle

    golden = None if arguments.golden is None else Path(arguments.golden)
    report = verify_bundle(find_bundle(arguments.bundle), golden)
    say(*report.lines())
    report.require()
    return 0


def _import(arguments: argparse.Namespace) -> int:
    # By name: the core does not depend on the training package, and torch is loaded only here.
    checkpoint = importlib.import_module("cleanplate_models.onnx_export.import_checkpoint")
    path = checkpoint.import_checkpoint(
        arguments.checkpoint,
        arguments.variant,
        arguments.output,
        licence=arguments.licence,
        weights=arguments.weights,
        eight_bits=arguments.int8,
    )
    say(f"wrote {path}")
    return 0

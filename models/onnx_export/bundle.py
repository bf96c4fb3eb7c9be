"""Write a VINet as a bundle: ONNX graphs, their weights, a manifest and a model card.

python -m models.onnx_export.bundle --weights runs/vinet/weights.safetensors --name vinet --out BUNDLE
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Literal

import onnx
import torch

from plugin_core.errors import CleanplateError, ModelError, WriteError
from plugin_core.network.bundle import (
    CARD,
    FORMAT_VERSION,
    MANIFEST,
    BundleFile,
    CarryTensor,
    FeatureTensor,
    GuideTensor,
    Manifest,
    Provenance,
)

from ..network.prune import moves, pruned
from ..network.reach import measured_reach
from ..network.vinet import LEVELS, SOURCE_OFFSETS, VINet
from ..network.weights import load_weights, stored_details
from .graph import WeightFile, WeightType
from .graph_vinet import STREAMS, channels_of, encode_graph, level_scales, step_graph

DEBUG_OUTPUTS = (
    "raw",
    "flow_s8",
    "flow_s4",
    "flow_s2",
    "mask_s8",
    "mask_s4",
    "mask_s2",
    "mask_s1",
    "flow_output",
)
OWN_LICENCE = "Apache-2.0"

_STRIPED_FROM = 48
"""Channels at s2 from which Winograd's form of the step is written: a narrower network gains nothing by it.

Processor time of a step at 256x256, one thread with AVX-512, the plain form's over Winograd's, interleaved:
0.95 with 5 channels at s2, as shipped; 1.01 with 30; 1.05 with 57; 1.07 with 64. With flow nets 1.01,
1.07 and 1.16 for the last three.
"""


def rounded(network: VINet, weights: WeightType) -> VINet:
    """A copy of the network with its weights as a bundle of that weight type holds them."""
    network = copy.deepcopy(network).eval()
    if weights == "float16":
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(parameter.half().float())
    return network


def export_bundle(
    network: VINet,
    out_dir: str | os.PathLike[str],
    *,
    name: str,
    provenance: Provenance,
    licence: str,
    card: str | None = None,
    weights: WeightType = "float16",
    channel_order: str = "RGB",
    hole_reach: int | None = None,
    eight_bits: bool = False,
) -> Path:
    """Write a network as a bundle; a bundle already at `out_dir` is replaced.

    Args:
        network: the network; its variant decides the graphs.
        out_dir: the bundle's folder.
        name: the model's name, shown to users.
        provenance: where the weights come from.
        licence: licence of the weights, an SPDX name or a sentence.
        card: text of the model card (Markdown); None writes a short one from the rest.
        weights: how weights are stored; they compute in float32 on a CPU either way.
        channel_order: what the network was trained on, "RGB" or "BGR".
        hole_reach: how deep a hole may be, in pixels of the network's input (see `reach`); None for no limit.
        eight_bits: whether x86 CPUs convolve in 8 bits (see `eight_bits`): quicker, and a little off.

    Raises:
        WriteError: the folder can't be written, or holds something that is no bundle.
        ModelError: `eight_bits` of a network that takes flows.
    """
    out = Path(out_dir)
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise WriteError(f"{out} holds something that is not a model bundle: choose another folder.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
            fresh = Path(temporary) / "bundle"
            fresh.mkdir()
            network = pruned(network)
            files = _write_graphs(network, fresh, weights, eight_bits=eight_bits)
            manifest = _manifest(
                network, name, files, provenance, licence, weights, channel_order, hole_reach
            )
            unwritten = {"step_x86"} if manifest.step_x86 is None else None
            text = manifest.model_dump_json(indent=2, exclude=unwritten)
            (fresh / MANIFEST).write_text(text + "\n", encoding="utf-8")
            (fresh / CARD).write_text(card or _card(manifest), encoding="utf-8")
            _swap(fresh, out, Path(temporary) / "old")
    except OSError as error:
        raise WriteError(f"The bundle {out} can't be written: {error.strerror or error}.") from error
    return out


def _swap(fresh: Path, out: Path, aside: Path) -> None:
    """Put a finished folder in its place; what was there goes with the temporary folder."""
    if out.exists():
        out.rename(aside)
    try:
        fresh.rename(out)
    except OSError:
        if aside.exists():
            aside.rename(out)
        raise


def _write_graphs(
    network: VINet, folder: Path, weights: WeightType, *, eight_bits: bool
) -> dict[str, BundleFile]:
    """The graphs and the weights that they share, by the manifest's names for them."""
    store = WeightFile("weights.bin", weights)
    graphs = {"encode": encode_graph(network, store), "step": step_graph(network, store)}
    if channels_of(network)["s2"] >= _STRIPED_FROM and not eight_bits:
        graphs["step_x86"] = step_graph(network, store, striped=True)
    files = {
        name: _write(folder / f"{name}.onnx", graph.SerializeToString(deterministic=True))
        for name, graph in graphs.items()
    }
    files["data"] = _write(folder / store.name, store.data)
    if eight_bits:
        from .eight_bits import eight_bit_step  # it takes a second to load

        files["step_x86"] = _write(folder / "step_x86.onnx", eight_bit_step(rounded(network, weights)))
    for name in files.keys() - {"data"}:
        onnx.checker.check_model(str(folder / files[name].file), full_check=True)
    return files


def _write(path: Path, data: bytes) -> BundleFile:
    path.write_bytes(data)
    return BundleFile(file=path.name, sha256=hashlib.sha256(data).hexdigest())


def _manifest(
    network: VINet,
    name: str,
    files: dict[str, BundleFile],
    provenance: Provenance,
    licence: str,
    weights: WeightType,
    channel_order: str,
    hole_reach: int | None,
) -> Manifest:
    scales, channels = level_scales(network.variant), channels_of(network)
    return Manifest(
        format_version=FORMAT_VERSION,
        name=name,
        variant=network.variant,
        temporal_radius=len(SOURCE_OFFSETS) // 2,
        temporal_stride=SOURCE_OFFSETS[-2],
        size_multiple=scales["s8"],
        hole_reach=hole_reach,
        channel_order="RGB" if channel_order == "RGB" else "BGR",
        value_range=(-1.0, 1.0),
        encode=files["encode"],
        step=files["step"],
        step_x86=files.get("step_x86"),
        data=files["data"],
        fill="fill",
        features=tuple(_feature(level, scales[level], channels[level]) for level in ("s2", "s4", "s8")),
        carry=_carry(scales["s8"], channels["memory"], scales["s1"] if network.takes_flows else None),
        flows=_flows(network),
        guide=_guide(scales) if network.takes_flows else (),
        debug=DEBUG_OUTPUTS,
        weights=weights,
        provenance=provenance,
        licence=licence,
    )


def _flows(network: VINet) -> Literal["given", "learned", "none"]:
    if network.takes_flows:
        return "given"
    parameters = {key: value.detach() for key, value in network.named_parameters()}
    levels = LEVELS[0 if network.variant == 256 else 1 :]
    return "learned" if any(moves(parameters, level) for level in levels) else "none"


def _guide(scales: dict[str, int]) -> tuple[GuideTensor, ...]:
    levels = ("s2", "s4", "s8")
    return tuple(GuideTensor(input=f"guide_{level}", scale=scales[level]) for level in levels)


def _feature(level: str, scale: int, channels: int) -> FeatureTensor:
    inputs = tuple(f"source_{stream}_{level}" for stream in range(STREAMS - 1))
    return FeatureTensor(name=level, channels=channels, scale=scale, inputs=inputs)


def _carry(memory_scale: int, memory: int, share_scale: int | None) -> tuple[CarryTensor, ...]:
    """The carry in the manifest's words; see `models.network.vinet.Carry` for what each tensor is."""

    def tensor(name: str, channels: int, scale: int | None, start: str) -> CarryTensor:
        return CarryTensor.model_validate(
            {
                "name": name,
                "input": f"{name}_in",
                "output": f"{name}_out",
                "channels": channels,
                "scale": scale,
                "start": start,
            }
        )

    return (
        tensor("hidden", memory, memory_scale, "zeros"),
        tensor("cell", memory, memory_scale, "zeros"),
        tensor("output", 3, 1, "masked_frame"),
        tensor("mask", 1, 1, "mask"),
        tensor("feedback", 1, share_scale, "zeros"),
    )


def _card(manifest: Manifest) -> str:
    """A short model card from what the manifest says."""
    details = "".join(f"- {key}: {value}\n" for key, value in sorted(manifest.provenance.details.items()))
    return (
        f"# {manifest.name}\n\n"
        f"VINet, variant {manifest.variant} (Kim et al., CVPR 2019), {manifest.weights} weights, "
        f"{manifest.provenance.kind}.\n\n"
        f"{manifest.provenance.summary}\n\n{details}\n"
        f"Licence of the weights: {manifest.licence}\n"
    )


def _provenance(path: Path | None, weights: Path) -> dict[str, str]:
    """What the trainer says of its run, as text."""
    beside = weights.with_name("provenance.json")
    if path is None and not beside.is_file():
        return {}
    try:
        details = json.loads((path or beside).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The provenance {path or beside} can't be read: {error}.") from error
    if not isinstance(details, dict):
        raise ModelError(f"The provenance {path or beside} is not a JSON object.")
    return {
        str(key): value if isinstance(value, str) else json.dumps(value) for key, value in details.items()
    }


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.onnx_export.bundle", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="weights of our training, .safetensors")
    parser.add_argument("--name", required=True, help="the model's name")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--variant", type=int, choices=(256, 512), default=512)
    parser.add_argument("--store", choices=("float16", "float32"), default="float16", help="weight type")
    parser.add_argument("--card", type=Path, help="model card to put into the bundle, Markdown")
    parser.add_argument("--licence", default=OWN_LICENCE)
    parser.add_argument(
        "--provenance",
        type=Path,
        help="what trained it, a JSON object; default: provenance.json by the weights",
    )
    parser.add_argument("--summary", default="Trained by `models/training/train.py` of this project.")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Export weights of our own training from the command line."""
    options = _arguments().parse_args(arguments)
    try:
        network = pruned(load_weights(options.weights, options.variant))
        details = stored_details(options.weights) | _provenance(options.provenance, options.weights)
        out = export_bundle(
            network,
            options.out,
            name=options.name,
            provenance=Provenance(kind="trained", summary=options.summary, details=details),
            licence=options.licence,
            card=options.card.read_text(encoding="utf-8") if options.card else None,
            weights=options.store,
            hole_reach=measured_reach(rounded(network, options.store)),
            channel_order="BGR",  # as training reads pictures, and as the published network does
        )
    except CleanplateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    size = sum(file.stat().st_size for file in out.iterdir()) / 1e6
    print(f"wrote {out} ({size:.1f} MB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

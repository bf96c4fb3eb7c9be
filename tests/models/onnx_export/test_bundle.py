from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from safetensors.torch import save_file

from models.network.generated import generated_network
from models.network.prune import pruned
from models.network.vinet import SOURCE_OFFSETS, VINet
from models.onnx_export.bundle import export_bundle, main, rounded
from models.wiring.start import lean_network
from plugin_core.errors import WriteError
from plugin_core.network import graphs
from plugin_core.network.bundle import Bundle, Provenance
from plugin_core.network.session import Session
from tests.models.network.thin import still
from tests.models.network.vectors import FOLDER, mirrored, moving_frames, tensors

pytestmark = pytest.mark.slow

MakeBundle = Callable[[int, str], Path]
FRAMES = 8


@pytest.mark.parametrize(
    ("variant", "weights", "x86", "height", "width"),
    [
        (512, "float16", True, 48, 80),
        (512, "float16", False, 48, 80),
        (256, "float32", True, 32, 40),
        (256, "float16", False, 32, 40),
    ],
)
def test_graphs_agree_with_the_torch_module_over_eight_recurrent_frames(
    make_bundle: MakeBundle,
    monkeypatch: pytest.MonkeyPatch,
    variant: int,
    weights: str,
    x86: bool,
    height: int,
    width: int,
) -> None:
    monkeypatch.setattr(graphs, "is_x86", lambda: x86)
    network = rounded(generated_network(variant), weights)
    agree(network, make_bundle(variant, weights), height, width)


@pytest.mark.parametrize(("variant", "x86", "height", "width"), [(256, True, 32, 40), (512, False, 48, 80)])
def test_flow_nets_that_move_nothing_are_left_out_without_a_change_of_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: int, x86: bool, height: int, width: int
) -> None:
    monkeypatch.setattr(graphs, "is_x86", lambda: x86)
    network = still(generated_network(variant))
    bundle = export_bundle(
        network,
        tmp_path / "still",
        name="still",
        provenance=Provenance(kind="generated", summary="Flows of zero."),
        licence="Apache-2.0",
        weights="float32",
    )
    assert (bundle / "weights.bin").stat().st_size < 0.8 * 4 * sum(p.numel() for p in network.parameters())
    agree(network, bundle, height, width)


@pytest.mark.parametrize(("variant", "height", "width"), [(512, 48, 80), (256, 32, 40)])
def test_given_flows_agree_with_the_torch_module(
    tmp_path: Path, variant: int, height: int, width: int
) -> None:
    network = pruned(rounded(lean_network(variant, takes_flows=True), "float16"))
    bundle = export_bundle(
        network,
        tmp_path / "given",
        name="given",
        provenance=Provenance(kind="generated", summary="Flows are given."),
        licence="Apache-2.0",
    )
    assert Bundle.open(bundle).manifest.flows == "given"
    agree(network, bundle, height, width, guided=True)


def guides(scales: tuple[int, ...], height: int, width: int, seed: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    return tuple(
        np.concatenate(
            [
                random.normal(0, 2, (4, 2, height // scale, width // scale)),
                random.uniform(0, 1, (4, 1, height // scale, width // scale)),
            ],
            axis=1,
        ).astype(np.float32)
        for scale in scales
    )


def agree(network: VINet, bundle: Path, height: int, width: int, *, guided: bool = False) -> None:
    frames, masks = tensors(*moving_frames(FRAMES, height, width))
    with Session.open(bundle, device="cpu", threads=1) as session, torch.no_grad():
        carry, theirs = (
            session.start(frames[0].numpy(), masks[0].numpy()),
            network.start(frames[:1], masks[:1]),
        )
        for t in range(FRAMES):
            at = [mirrored(t + offset, FRAMES) for offset in SOURCE_OFFSETS]
            # Without a guide the sources lie where they lie: the last frames try that.
            guide = guides(session.guide_scales, height, width, t) if guided and t < FRAMES - 2 else None
            given = guide and {
                level: torch.from_numpy(part)[None]
                for level, part in zip(("s2", "s4", "s8"), guide, strict=True)
            }
            found = session.step(
                frames[t].numpy(),
                masks[t].numpy(),
                [session.encode(frames[i].numpy(), masks[i].numpy()) for i in at],
                carry,
                guide=guide,
                debug=True,
            )
            sources = [network.encode_source(frames[i, None], masks[i, None]) for i in at]
            expected = network.step(frames[t, None], masks[t, None], sources, theirs, guide=given)
            carry, theirs = found.carry, expected.carry
            if guided:  # whoever moves a carry says how much of the previous output is to be trusted
                trust = np.random.default_rng(t).random(theirs.feedback.shape).astype(np.float32)
                carry = session.put({**session.fetch(carry), "feedback": trust})
                theirs = theirs._replace(feedback=torch.from_numpy(trust))
            assert np.abs(found.fill - expected.output[0].numpy()).max() <= 1e-4
            for name, value in session.fetch(carry).items():
                assert np.abs(value - getattr(theirs, name).numpy()).max() <= 1e-4, name
            for name, value in found.debug.items():
                assert np.abs(value - getattr(expected, name).numpy()).max() <= 1e-4, name


@pytest.mark.parametrize("x86", [True, False])
@pytest.mark.parametrize("variant", [256, 512])
def test_graphs_give_our_own_vectors(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch, variant: int, x86: bool
) -> None:
    monkeypatch.setattr(graphs, "is_x86", lambda: x86)
    stored = np.load(FOLDER / f"vinet{variant}.npz")
    frames, masks = tensors(stored["frames"], stored["masks"])
    count = len(frames)
    with Session.open(make_bundle(variant, "float32"), device="cpu", threads=1) as session:
        features = [session.encode(frames[i].numpy(), masks[i].numpy()) for i in range(count)]
        carry = session.start(frames[0].numpy(), masks[0].numpy())
        for t in range(count):
            sources = [features[mirrored(t + offset, count)] for offset in SOURCE_OFFSETS]
            result = session.step(frames[t].numpy(), masks[t].numpy(), sources, carry)
            carry = result.carry
            assert np.abs(result.fill - stored["out"][t]).max() <= 2e-4
        kept = session.fetch(carry)
    assert np.abs(kept["hidden"][0] - stored["hidden"]).max() <= 2e-4
    assert np.abs(kept["cell"][0] - stored["cell"]).max() <= 2e-4


def test_graphs_run_at_any_size_without_being_opened_for_it(published_512: Path) -> None:
    """Sizes are fixed for speed alone: the graphs themselves take any."""
    bundle = Bundle.open(published_512)
    encode = ort.InferenceSession(str(bundle.encode_path), providers=["CPUExecutionProvider"])
    step = ort.InferenceSession(str(bundle.step_path(x86=False)), providers=["CPUExecutionProvider"])
    for height, width in ((32, 48), (48, 16)):
        frame, mask = (x[0, None].numpy() for x in tensors(*moving_frames(1, height, width)))
        features = dict(
            zip(("s2", "s4", "s8"), encode.run(None, {"frame": frame, "mask": mask}), strict=True)
        )
        with Session.open(bundle, device="cpu", threads=1) as session:
            carry = session.start(frame[0], mask[0])
            expected = session.step(frame[0], mask[0], [session.encode(frame[0], mask[0])] * 4, carry)
            feeds = {f"{name}_in": value for name, value in session.fetch(carry).items()}
        for feature in bundle.manifest.features:
            feeds |= dict.fromkeys(feature.inputs, features[feature.name])
        fill = step.run(["fill"], {"frame": frame, "mask": mask, **feeds})[0]
        assert np.abs(fill[0] - expected.fill).max() <= 1e-5


def test_a_shipped_bundle_is_small_and_leaves_out_what_is_never_used(published_512: Path) -> None:
    assert sum(file.stat().st_size for file in published_512.iterdir()) < 32e6
    assert {file.name for file in published_512.iterdir()} == {
        "encode.onnx",
        "step.onnx",
        "step_x86.onnx",
        "weights.bin",
        "manifest.json",
        "MODEL_CARD.md",
    }
    unused = sum(value.numel() for value in generated_network(512).flownet_256.parameters())
    stored = (published_512 / "weights.bin").stat().st_size / 2
    # Every weight once but those of the s1 flow net; zeros fill up a few layers.
    assert stored < 14_115_364 - unused + 120_000


def test_the_manifest_describes_the_graphs(published_512: Path, published_256: Path) -> None:
    for path, multiple in ((published_512, 16), (published_256, 8)):
        bundle = Bundle.open(path)
        manifest = bundle.manifest
        assert manifest.size_multiple == multiple
        assert manifest.source_offsets == SOURCE_OFFSETS
        named = {name for feature in manifest.features for name in feature.inputs}
        for x86 in (True, False):
            step = onnx.load(bundle.step_path(x86=x86), load_external_data=False).graph
            inputs, outputs = ({value.name for value in values} for values in (step.input, step.output))
            assert inputs == {"frame", "mask"} | named | {tensor.input for tensor in manifest.carry}
            assert outputs == {manifest.fill, *manifest.debug} | {tensor.output for tensor in manifest.carry}


def test_only_the_x86_graph_has_operators_of_onnx_runtimes_own(published_512: Path) -> None:
    """The other has to run on any provider."""
    bundle = Bundle.open(published_512)
    for x86 in (True, False):
        step = onnx.load(bundle.step_path(x86=x86), load_external_data=False)
        assert any(node.domain for node in step.graph.node) == x86


def test_exporting_twice_gives_the_same_model(tmp_path: Path, published_512: Path) -> None:
    again = export(tmp_path / "again", network=generated_network(512))
    assert Bundle.open(again).model_id == Bundle.open(published_512).model_id


def export(out: Path, name: str = "test", network: VINet | None = None) -> Path:
    return export_bundle(
        network or lean_network(512),
        out,
        name=name,
        provenance=Provenance(kind="generated", summary="For a test.", details={"seed": "1"}),
        licence="Apache-2.0",
    )


def test_a_bundle_is_replaced_whole_and_nothing_else_is(tmp_path: Path) -> None:
    export(tmp_path / "model", "first")
    export(tmp_path / "model", "second")
    assert Bundle.open(tmp_path / "model").manifest.name == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("keep")
    with pytest.raises(WriteError, match="not a model bundle"):
        export(tmp_path / "other")
    assert (tmp_path / "other" / "precious.txt").read_text() == "keep"


def test_a_card_is_written_from_what_is_known(tmp_path: Path) -> None:
    text = (export(tmp_path / "model") / "MODEL_CARD.md").read_text()
    assert "For a test." in text
    assert "seed: 1" in text
    assert "Apache-2.0" in text


def test_the_command_exports_weights_of_our_own_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file(
        {key: value.contiguous() for key, value in lean_network(512).state_dict().items()},
        weights,
        metadata={"steps": "12"},
    )
    (tmp_path / "provenance.json").write_text('{"data": "drawings", "seed": 3}')
    assert main(["--weights", str(weights), "--name", "mine", "--out", str(tmp_path / "mine")]) == 0
    assert "wrote" in capsys.readouterr().out
    manifest = Bundle.open(tmp_path / "mine").manifest
    assert (manifest.name, manifest.channel_order, manifest.weights) == ("mine", "BGR", "float16")
    assert manifest.provenance.details == {"steps": "12", "data": "drawings", "seed": "3"}
    assert main(["--weights", str(tmp_path / "no"), "--name", "x", "--out", str(tmp_path / "x")]) == 4
    assert "There are no weights" in capsys.readouterr().err
    (tmp_path / "provenance.json").write_text("[")
    assert main(["--weights", str(weights), "--name", "x", "--out", str(tmp_path / "x")]) == 4
    assert "provenance.json can't be read" in capsys.readouterr().err

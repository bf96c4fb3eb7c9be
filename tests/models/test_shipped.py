"""What the model that ships must do, whatever it was trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.onnx_export.bundle import export_bundle
from models.painter import export
from models.painter.hearing import interpolation_of
from models.wiring.interpolation import wire_interpolation
from models.wiring.start import lean_network
from plugin_core.network.bundle import MANIFEST, Bundle, find_bundle
from plugin_core.network.session import Session

pytestmark = pytest.mark.slow

_SHOWN = 64


@pytest.fixture(scope="module", params=["vinet", "vinet-shapes"])
def shipped(request: pytest.FixtureRequest) -> Iterator[Session]:
    with Session.open(request.param, device="cpu", threads=2) as session:
        yield session


def square(session: Session) -> tuple[np.ndarray, np.ndarray]:
    """A frame of one color, and the deepest hole that the core will show the model in it."""
    assert session.hole_reach is not None
    side = 2 * (session.hole_reach + _SHOWN)
    mask = np.zeros((1, side, side), np.float32)
    mask[:, _SHOWN:-_SHOWN, _SHOWN:-_SHOWN] = 1
    color = np.array([0.7, 0.2, -0.5], np.float32)[:, None, None]
    return np.broadcast_to(color, (3, side, side)).copy(), mask


def test_it_fills_the_deepest_hole_to_its_middle_and_keeps_it(shipped):
    frame, mask = square(shipped)
    sources = [shipped.encode(frame, mask)] * 4
    carry = shipped.start(frame, mask)
    for _ in range(12):
        output = shipped.step(frame, mask, sources, carry)
        carry = output.carry
        assert np.abs(output.fill - frame).max() < 0.1


def test_its_memory_remembers(shipped):
    """The ConvLSTM is alive: a model that learns to do without it is not VINet any more."""
    frame, mask = square(shipped)
    output = shipped.step(frame, mask, [shipped.encode(frame, mask)] * 4, shipped.start(frame, mask))
    kept = shipped.fetch(output.carry)
    assert np.abs(kept["hidden"]).max() > 0.01 and np.abs(kept["cell"]).max() > 0.01


def test_its_weights_make_its_files_again(tmp_path: Path) -> None:
    bundle = Bundle.open(find_bundle("vinet"))
    manifest, network = bundle.manifest, lean_network(512, takes_flows=True)
    wire_interpolation(network.state_dict(), interpolation_of())
    again = export_bundle(
        network,
        tmp_path / "again",
        name=manifest.name,
        provenance=manifest.provenance,
        licence=manifest.licence,
        channel_order=manifest.channel_order,
        hole_reach=manifest.hole_reach,
    )
    for name in ("encode.onnx", "step.onnx", "weights.bin"):
        assert (again / name).read_bytes() == (bundle.path / name).read_bytes(), name
    then, now = (json.loads((folder / MANIFEST).read_text()) for folder in (bundle.path, again))
    assert now == then
    assert manifest.flows == "given"


def test_the_painters_checkpoint_makes_its_bundle_again(tmp_path: Path, monkeypatch) -> None:
    bundle = Bundle.open(find_bundle("vinet-shapes"))
    monkeypatch.setattr(export, "measured_reach", lambda _network: bundle.manifest.hole_reach)
    export.export_painter(export.IN_NETWORK, tmp_path / "again", name="vinet-shapes")
    for name in ("encode.onnx", "step.onnx", "weights.bin", MANIFEST):
        assert (tmp_path / "again" / name).read_bytes() == (bundle.path / name).read_bytes(), name


@pytest.mark.parametrize("graph", ["encode", "step"])
def test_nothing_is_computed_of_neighbors_that_count_nothing(graph) -> None:
    stored = onnx.load(find_bundle("vinet") / f"{graph}.onnx").graph.initializer
    kernels = [numpy_helper.to_array(tensor) for tensor in stored if len(tensor.dims) == 4]
    assert kernels
    for kernel in kernels:
        assert kernel.shape[-2:] == (1, 1) or np.delete(kernel.reshape(-1, 9), 4, axis=1).any()


@pytest.mark.parametrize(
    ("name", "identity"), [("vinet", "29f7888010c1600f"), ("vinet-shapes", "d899f0777bb8a9a0")]
)
def test_its_identity_does_not_change_unnoticed(name, identity) -> None:
    """States and journals hold it: with another, a render that was begun can't be gone on with."""
    assert Bundle.open(find_bundle(name)).model_id == identity

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.network.prune import pruned
from models.onnx_export import eight_bits
from models.onnx_export.bundle import export_bundle
from models.wiring.start import lean_network
from plugin_core.errors import ModelError
from plugin_core.network.bundle import Bundle, Provenance
from plugin_core.network.session import Session
from plugin_core.network.verify import verify_bundle
from tests.models.network.thin import still, thinned
from tests.plugin_core.network.test_verify import write_golden

pytestmark = pytest.mark.slow


def test_a_step_in_eight_bits_is_what_x86_runs_and_fills_nearly_the_same(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(eight_bits, "eight_bit_step", partial(eight_bits.eight_bit_step, shots=1, size=64))
    # Flow nets that move nothing are not written: two thirds of the time.
    network, about = (
        pruned(still(thinned(512, 0.8))),
        Provenance(kind="generated", summary="A test.", details={}),
    )
    fills = []
    random = np.random.default_rng(1)
    frame = np.kron(random.random((3, 8, 8), np.float32), np.ones((8, 8), np.float32)) * 1.6 - 0.8
    mask = np.zeros((1, 64, 64), np.float32)
    mask[:, 20:44, 16:40] = 1
    for eight in (False, True):
        folder = export_bundle(
            network, tmp_path / str(eight), name="t", provenance=about, licence="none", eight_bits=eight
        )
        with Session.open(folder, device="cpu", threads=1) as session:
            carry, source = session.start(frame, mask), session.encode(frame, mask)
            for _ in range(3):
                output = session.step(frame, mask, [source] * 4, carry)
                carry = output.carry
            fills.append(output.fill)
    off = float(np.sqrt(np.mean((fills[1] - fills[0]) ** 2))) / 2
    assert 0 < off < 0.03 and fills[0].std() > 5 * off
    bundle = Bundle.open(tmp_path / "True")
    assert bundle.step_path(x86=True) != bundle.step_path(x86=False)
    assert bundle.model_id != Bundle.open(tmp_path / "False").model_id
    nodes = onnx.load(bundle.step_path(x86=True)).graph.node
    small = {name for node in nodes if node.op_type == "DequantizeLinear" for name in node.output}
    common = onnx.load(bundle.step_path(x86=False), load_external_data=False).graph.node
    order = [node.name for node in common if node.op_type == "Conv"]
    eight = [order.index(node.name) for node in nodes if node.op_type == "Conv" and node.input[1] in small]
    # Not the encoders, nor bottleneck, memory and decoder (12 and 25) with the mask (3) that ends the graph.
    assert eight and min(eight) >= 32 and max(eight) < len(order) - 40
    # Against golden vectors: the common graphs to the last digits, those in 8 bits nearly.
    golden = tmp_path / "golden"
    golden.mkdir()
    write_golden(golden / "vinet512_32x32_carry.npz", tmp_path / "False")
    report = verify_bundle(tmp_path / "True", golden)
    assert report.passed, report.lines()
    assert [check.name for check in report.checks][4:] == [
        "vinet512_32x32_carry.npz, 8 bits",
        "vinet512_32x32_carry.npz",
    ]
    with np.load(golden / "vinet512_32x32_carry.npz") as stored:
        other = dict(stored) | {"out": stored["out"] + 0.2}
    np.savez(golden / "vinet512_32x32_carry.npz", **other)
    passed = [check.passed for check in verify_bundle(tmp_path / "True", golden).checks]
    assert passed == [True] * 4 + [False, False]


def test_a_network_that_takes_flows_has_no_such_form() -> None:
    with pytest.raises(ModelError, match="leave --int8 out"):
        eight_bits.eight_bit_step(pruned(lean_network(512, takes_flows=True)))

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from plugin_core.errors import ModelError
from plugin_core.network.session import Session
from plugin_core.network.verify import Check, VerifyReport, golden_error, verify_bundle

pytestmark = pytest.mark.slow

MakeBundle = Callable[[int, str], Path]


def write_golden(path: Path, bundle: Path, *, off: float = 0.0) -> Path:
    """A golden file with what the bundle itself gives, `off` from it in one pixel."""
    generator = np.random.default_rng(3)
    frames = np.kron(generator.integers(0, 256, (4, 4, 4, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    masks = np.zeros((4, 32, 32), np.uint8)
    masks[:, 8:20, 10:22] = 1
    src = np.array([[abs(t - 6) % 4, abs(t - 3), t, 3 - t, t] for t in range(4)], np.int32)
    outputs = []
    with Session.open(bundle, device="cpu", threads=1) as session:
        pictures = 2 * (frames.transpose(0, 3, 1, 2).astype(np.float32) / 255) - 1
        holes = masks[:, None].astype(np.float32)
        carry = session.start(pictures[0], holes[0])
        for row in src.tolist():
            sources = [session.encode(pictures[i], holes[i]) for i in (row[0], row[1], row[3], row[4])]
            result = session.step(pictures[row[2]], holes[row[2]], sources, carry)
            carry = result.carry
            outputs.append(result.fill)
    out = np.stack(outputs)
    out[-1, 0, 5, 5] += off
    np.savez(path, frames=frames, masks=masks, src=src, out=out)
    return path


def test_a_whole_bundle_passes(bundle_512: Path) -> None:
    report = verify_bundle(bundle_512)
    assert report.passed
    report.require()
    lines = report.lines()
    assert lines[0].startswith("generated512 (")
    assert [line[:4] for line in lines[1:]] == ["ok  "] * 4


def test_golden_vectors_are_measured(tmp_path: Path, bundle_512: Path) -> None:
    write_golden(tmp_path / "vinet512_32x32_carry.npz", bundle_512)
    write_golden(tmp_path / "vinet512_32x32_align0.npz", bundle_512, off=1)
    report = verify_bundle(bundle_512, tmp_path)
    assert report.passed
    assert [check.name for check in report.checks][4:] == ["vinet512_32x32_carry.npz"]


def test_a_wrong_number_fails_and_is_told(tmp_path: Path, bundle_512: Path) -> None:
    write_golden(tmp_path / "vinet512_32x32_carry.npz", bundle_512, off=0.01)
    report = verify_bundle(bundle_512, tmp_path)
    assert not report.passed
    assert "FAIL vinet512_32x32_carry.npz" in "\n".join(report.lines())
    with pytest.raises(ModelError, match=r"vinet512_32x32_carry\.npz \(largest error 1\.0e-02 \(out\)\)"):
        report.require()


def test_a_dropped_state_is_dropped(tmp_path: Path, published_512: Path) -> None:
    carried = write_golden(tmp_path / "vinet512_32x32_carry.npz", published_512)
    dropped = tmp_path / "vinet512_32x32_none.npz"
    shutil.copy(carried, dropped)
    with Session.open(published_512, device="cpu", threads=1) as session:
        assert golden_error(session, carried)[0] <= 1e-5
        assert golden_error(session, dropped)[0] > 1e-4


def test_vectors_of_another_variant_do_not_count(
    tmp_path: Path, bundle_512: Path, published_256: Path
) -> None:
    write_golden(tmp_path / "vinet512_32x32_carry.npz", bundle_512)
    with pytest.raises(ModelError, match="no golden vectors for variant 256"):
        verify_bundle(published_256, tmp_path)


def test_a_damaged_bundle_does_not_get_as_far(tmp_path: Path, bundle_512: Path) -> None:
    copy = Path(shutil.copytree(bundle_512, tmp_path / "copy"))
    (copy / "step.onnx").write_bytes(b"cut")
    with pytest.raises(ModelError, match="damaged"):
        verify_bundle(copy)


def test_weights_that_are_not_finite_are_caught(tmp_path: Path, bundle_512: Path) -> None:
    copy = Path(shutil.copytree(bundle_512, tmp_path / "copy"))
    path = copy / "weights.bin"
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    values = np.fromfile(path, np.float16)
    values[len(values) // 2 :] = np.nan
    values.tofile(path)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(old, hashlib.sha256(path.read_bytes()).hexdigest()))
    with pytest.raises(ModelError):
        verify_bundle(copy)


def test_every_failed_check_is_named() -> None:
    checks = (Check("a", False, "bad"), Check("b", True, "good"), Check("c", False, "worse"))
    with pytest.raises(ModelError, match=r"a \(bad\); c \(worse\)"):
        VerifyReport("model", "id", checks).require()


@pytest.mark.parametrize("variant", [256, 512])
def test_bundles_give_the_published_networks_vectors(
    make_bundle: MakeBundle, golden_dir: Path, variant: int
) -> None:
    report = verify_bundle(make_bundle(variant, "float32"), golden_dir)
    assert len(report.checks) == 4 + 5
    report.require()

"""Check that a bundle is whole and computes what it should, without torch.

With golden vectors (numbers that the published network gives for generated weights, for a bundle exported
from the same generated weights in float32) the largest error per file is measured too. Where x86 CPUs have a
form in 8 bits, the common graphs are held against the vectors, and that form's fill must come near.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .bundle import Bundle
from .contract import Carry, Features, StepOutput
from .session import Session

GOLDEN_TOLERANCE = 2e-4
EIGHT_BITS_DB = 30.0
"""What a fill in 8 bits has at least against the vectors, PSNR in the hole."""
FRAMES = 6

_COMPARED = {  # array in a golden file -> output of the step graph
    "out": "fill",
    "out_raw": "raw",
    "flow": "flow_s8",
    "flow_64": "flow_s4",
    "flow_128": "flow_s2",
    "occ": "mask_s8",
    "occ_64": "mask_s4",
    "occ_128": "mask_s2",
}
_COMPARED_LATER = {"flow6_final": "flow_output", "occ_256": "mask_s1"}  # from the second step on
_MEMORY = {"h": "hidden", "c": "cell"}

Frames = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Pictures (3, H, W) and their masks (1, H, W)."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class VerifyReport:
    """What was checked of a bundle, and what came out."""

    name: str
    model_id: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def lines(self) -> list[str]:
        """The report as text, one line for each check."""
        width = max(len(check.name) for check in self.checks)
        rows = [
            f"{'ok  ' if check.passed else 'FAIL'} {check.name:{width}}  {check.detail}"
            for check in self.checks
        ]
        return [f"{self.name} ({self.model_id})", *rows]

    def require(self) -> None:
        """Raise ModelError naming the checks that failed, if any did."""
        failed = [f"{check.name} ({check.detail})" for check in self.checks if not check.passed]
        if failed:
            raise ModelError(f"The bundle {self.name} does not verify: {'; '.join(failed)}.")


def verify_bundle(
    path: str | os.PathLike[str], golden_dir: str | os.PathLike[str] | None = None, *, device: str = "cpu"
) -> VerifyReport:
    """Check a bundle's files, run it over a few frames, and hold it against golden vectors if given.

    Raises:
        ModelError: the bundle can't be opened or run, or the folder has no vectors for its variant. What
            runs but gives wrong numbers is told by the report (`VerifyReport.require` raises it).
        DeviceError: the device can't be used.
    """
    bundle = Bundle.open(path)
    whole = f"{bundle.manifest.name}, format {bundle.manifest.format_version}"
    checks = [Check("files and hashes", True, whole)]
    golden = None if golden_dir is None else Path(golden_dir)
    eight_bits = golden is not None and bundle.eight_bits
    with Session.open(bundle, device=device) as session:
        checks += _run_checks(session)
        if golden is not None:
            checks += (_eight_bits_checks if eight_bits else _golden_checks)(session, golden)
    if golden is not None and eight_bits:
        with Session.open(bundle.common(), device=device) as session:
            checks += _golden_checks(session, golden)
    return VerifyReport(bundle.manifest.name, bundle.model_id, tuple(checks))


def _run_checks(session: Session) -> Iterator[Check]:
    """Run a small moving picture twice."""
    side = 4 * session.size_multiple
    frames = _moving_frames(side, side + session.size_multiple)
    once, again = (_roll(session, frames) for _ in range(2))
    finite = all(
        np.isfinite(array).all() for result in once for array in session.fetch(result.carry).values()
    )
    yield Check("runs", finite, f"{FRAMES} frames of {side + session.size_multiple}x{side}, all finite")
    same = all(np.array_equal(a.fill, b.fill) for a, b in zip(once, again, strict=True))
    yield Check("repeatable", same, "the same frames give the same pixels" if same else "two runs differ")
    last = once[-2].carry
    back = session.put(session.fetch(last))
    moved = _step(session, frames, FRAMES - 1, back)
    same = np.array_equal(moved.fill, once[-1].fill)
    yield Check(
        "state survives", same, "saved and restored, same pixels" if same else "a restored state differs"
    )


def _moving_frames(height: int, width: int) -> Frames:
    """A smooth pattern that drifts, under a hole that drifts the other way."""
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    frames: Frames = []
    for number in range(FRAMES):
        waves = [
            np.sin((xs + number * speed) / (5 + speed)) * np.cos(ys / (9 - speed)) for speed in (1, 2, 3)
        ]
        mask = (abs(xs - width / 2 + 2 * number) < width / 8) & (abs(ys - height / 2) < height / 6)
        frames.append((np.stack(waves).astype(np.float32), mask[None].astype(np.float32)))
    return frames


def _mirrored(index: int, count: int) -> int:
    """An index past either end, mirrored about the end frame."""
    while not 0 <= index < count:
        index = -index if index < 0 else 2 * (count - 1) - index
    return index


def _step(session: Session, frames: Frames, number: int, carry: Carry) -> StepOutput:
    places = [_mirrored(number + offset, len(frames)) for offset in session.source_offsets]
    return session.step(*frames[number], [session.encode(*frames[at]) for at in places], carry)


def _roll(session: Session, frames: Frames) -> list[StepOutput]:
    carry = session.start(*frames[0])
    results: list[StepOutput] = []
    for number in range(len(frames)):
        results.append(_step(session, frames, number, carry))
        carry = results[-1].carry
    return results


def _golden_checks(session: Session, folder: Path) -> Iterator[Check]:
    """The largest error of each golden file of the bundle's variant."""
    for path in _golden_files(session, folder):
        error, where = golden_error(session, path)
        yield Check(path.name, error <= GOLDEN_TOLERANCE, f"largest error {error:.1e} ({where})")


def _eight_bits_checks(session: Session, folder: Path) -> Iterator[Check]:
    """How near the fill in 8 bits comes to each golden file."""
    for path in _golden_files(session, folder):
        near = golden_psnr(session, path)
        yield Check(f"{path.name}, 8 bits", near >= EIGHT_BITS_DB, f"{near:.1f} dB in the hole")


def _golden_files(session: Session, folder: Path) -> list[Path]:
    """The golden files of the bundle's variant. Raises ModelError where there are none."""
    variant = session.bundle.manifest.variant
    # Files named align0 hold a sampling convention that the published weights were not trained with.
    files = [path for path in sorted(folder.glob(f"vinet{variant}_*.npz")) if "align0" not in path.name]
    if not files:
        raise ModelError(f"There are no golden vectors for variant {variant} in {folder}.")
    return files


def golden_error(session: Session, path: Path) -> tuple[float, str]:
    """Run a golden file's frames through a session: the largest error, and the array that has it.

    A file with `_none` in its name throws the ConvLSTM state away before every step; one with `_prerun8`
    plays its frames backwards first, as a warm-up.
    """
    golden = _stored(path)
    worst = (0.0, "out")
    for number, result in enumerate(_played(session, golden, path.stem)):
        for name, ours, expected in _pairs(session, golden, number, result):
            worst = max(worst, (float(np.abs(ours.reshape(expected.shape) - expected).max()), name))
    return worst


def golden_psnr(session: Session, path: Path) -> float:
    """Run a golden file's frames through a session: the PSNR of all fills in their holes, in dB."""
    golden = _stored(path)
    square, count = 0.0, 0
    for number, result in enumerate(_played(session, golden, path.stem)):
        hole = golden["masks"][golden["src"][number][2]] > 0
        expected = golden["out"][number]
        off = (np.reshape(result.fill, expected.shape) - expected)[..., hole]
        square, count = square + float(np.square(off, dtype=np.float64).sum()), count + off.size
    return float(10 * np.log10(4 * count / max(square, 1e-12)))  # values span 2


def _stored(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def _played(session: Session, golden: dict[str, NDArray[Any]], stem: str) -> Iterator[StepOutput]:
    """What the steps of a golden file give."""
    frames = _golden_frames(session, golden)
    if "_prerun8" in stem:
        frames = frames[::-1] + frames
    features: dict[int, Features] = {}
    carry: Carry | None = None
    for before6, before3, target, after3, after6 in golden["src"].tolist():
        for index in (before6, before3, after3, after6):
            if index not in features:
                features[index] = session.encode(*frames[index])
        if carry is None:
            carry = session.start(*frames[target])
        elif "_none" in stem:
            carry = _forgotten(session, carry)
        sources = [features[index] for index in (before6, before3, after3, after6)]
        picture, mask = frames[target]
        result = session.step(picture, mask, sources, carry, debug=True)
        carry = result.carry
        yield result


def _golden_frames(session: Session, golden: dict[str, NDArray[Any]]) -> Frames:
    """The golden frames in the network's own channel order, whatever the bundle calls it."""
    pictures = 2 * (golden["frames"].astype(np.float32) / 255) - 1
    flip = slice(None, None, -1 if session.bundle.manifest.channel_order == "BGR" else 1)
    masks = golden["masks"].astype(np.float32)
    return [
        (np.ascontiguousarray(picture.transpose(2, 0, 1)[flip]), mask[None])
        for picture, mask in zip(pictures, masks, strict=True)
    ]


def _forgotten(session: Session, carry: Carry) -> Carry:
    """The carry with the ConvLSTM's state thrown away."""
    arrays = session.fetch(carry)
    return session.put(arrays | {name: np.zeros_like(arrays[name]) for name in _MEMORY.values()})


def _pairs(
    session: Session, golden: dict[str, NDArray[Any]], number: int, result: StepOutput
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """What a step gave beside what the golden file says."""
    arrays = session.fetch(result.carry)
    outputs = dict(result.debug) | {"fill": arrays["output"]}
    for name, ours in _COMPARED.items():
        if name in golden:
            yield name, outputs[ours], golden[name][number]
    for name, ours in _COMPARED_LATER.items():
        if name in golden and number > 0:
            yield name, outputs[ours], golden[name][number - 1]
    steps = golden["state_steps"].tolist() if "state_steps" in golden else []
    for name, ours in _MEMORY.items():
        if name in golden and number in steps:
            yield name, arrays[ours], golden[name][steps.index(number)]

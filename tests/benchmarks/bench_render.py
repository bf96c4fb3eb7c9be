"""What a render costs beside the network: reading, cropping, blending, writing.

    python -m tests.benchmarks.bench_render [--bundle BUNDLE] [--frames 12] [--rounds 3]

An HD plate (half-float EXR, RGBA, ZIP, with grain) and a 400-pixel matte that travels. Rounds alternate
between the whole render and the network alone on the very inputs that the render gave it, so that what else
runs on the machine touches both; the ratio of the medians is what counts. The bar: less than 15 % on top.
Real pixels and paint are work of their own and left out (`bench_motion` and `bench_farm` have them): with
them the first frames of a shot cost several times the network, since the look-ahead is measured and key
frames are painted then.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from plugin_core.job.settings import Run, Settings, Shot
from plugin_core.network.contract import Carry, Features, Guide, Mask, Picture, StepOutput
from plugin_core.network.session import Session
from plugin_core.network.wrapped import Wrapped
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render import render as render_module
from plugin_core.render.pipeline import Pipeline

WIDTH, HEIGHT, HOLE = 1920, 1080, 400
BAR = 0.15


class Recording(Wrapped):
    """A network that remembers what it was asked, to be asked again without the rest."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._made: dict[int, Features] = {}
        self._numbers: dict[int, int] = {}
        self.calls: list[tuple[str, Any]] = []

    def encode(self, frame: Picture, mask: Mask) -> Features:
        features = super().encode(frame, mask)
        number = len(self._made)
        self._made[number] = features  # kept, so that its id stays its own
        self._numbers[id(features)] = number
        self.calls.append(("encode", (frame, mask)))
        return features

    def start(self, frame: Picture, mask: Mask) -> Carry:
        self.calls.append(("start", (frame, mask)))
        return super().start(frame, mask)

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        guide: Guide | None = None,
        debug: bool = False,
    ) -> StepOutput:
        numbers = [self._numbers[id(source)] for source in sources]
        self.calls.append(("step", (frame, mask, numbers, guide)))
        return super().step(frame, mask, sources, carry, guide=guide, debug=debug)

    def again(self) -> None:
        """Make the same calls of the session, and nothing else."""
        made: list[Features] = []
        carry: Carry | None = None
        for call, given in self.calls:
            if call == "encode":
                made.append(self._network.encode(*given))
            elif call == "start":
                carry = self._network.start(*given)
            else:
                frame, mask, numbers, guide = given
                assert carry is not None
                sources = [made[number] for number in numbers]
                carry = self._network.step(frame, mask, sources, carry, guide=guide).carry


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a render costs beside the network.")
    parser.add_argument("--bundle", help="a bundle; one with generated weights is made where none is given")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, open_session(given.bundle, Path(folder)) as session:
        shot = _make_shot(Path(folder), given.frames)
        recording = Recording(session)
        _render(shot, recording)
        whole, alone = _rounds(lambda: _render(shot, session), recording.again, given.rounds)
        beside = _beside(shot, session, given.frames)
    _report(whole, alone, beside, given.frames)


@dataclass(frozen=True)
class Spent:
    """Seconds of wall clock, and of all processors together."""

    wall: float
    cpu: float


def _rounds(
    one: Callable[[], object], other: Callable[[], object], rounds: int
) -> tuple[list[Spent], list[Spent]]:
    first, second = [], []
    for _ in range(rounds):
        first.append(_spent(one))
        second.append(_spent(other))
    return first, second


def _spent(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def _render(shot: Shot, network: Any) -> None:
    run = Run(overwrite=True)
    for _ in render_module.render(shot, Settings(propagate="off"), run, network, Reporters([]), Stop()):
        pass


def _beside(shot: Shot, session: Session, frames: int) -> dict[str, float]:
    """Seconds a frame that the two threads beside the network are busy, in one more render."""
    spent = {"reading": 0.0, "writing": 0.0}

    def timed(kind: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given)
            finally:
                spent[kind] += time.perf_counter() - began

        return run

    read, compose, write = Pipeline.read, Pipeline.compose, Pipeline.write
    Pipeline.read = timed("reading", read)  # type: ignore[method-assign]
    Pipeline.compose = timed("writing", compose)  # type: ignore[method-assign]
    Pipeline.write = timed("writing", write)  # type: ignore[method-assign]
    try:
        _render(shot, session)
    finally:
        Pipeline.read, Pipeline.compose = read, compose  # type: ignore[method-assign]
        Pipeline.write = write  # type: ignore[method-assign]
    return {kind: seconds / frames for kind, seconds in spent.items()}


def _report(whole: list[Spent], alone: list[Spent], beside: dict[str, float], frames: int) -> None:
    for number, (one, other) in enumerate(zip(whole, alone, strict=True), start=1):
        print(
            f"round {number}: render {one.wall / frames:.3f} s/frame ({one.cpu / frames:.3f} s of cpu), "
            f"network {other.wall / frames:.3f} s/frame ({other.cpu / frames:.3f})"
        )
    print(", ".join(f"{kind} {seconds * 1000:.0f} ms/frame" for kind, seconds in beside.items()), "(beside)")
    cpu = statistics.median(s.cpu for s in whole) / statistics.median(s.cpu for s in alone) - 1
    wall = statistics.median(s.wall for s in whole) / statistics.median(s.wall for s in alone) - 1
    print(f"on top of the network: {wall:+.1%} of time (bar: {BAR:.0%}), {cpu:+.1%} of processor")


def open_session(bundle: str | None, folder: Path) -> Session:
    if bundle is not None:
        return Session.open(bundle, device="cpu")
    from models.network.generated import generated_network
    from models.onnx_export.bundle import export_bundle
    from plugin_core.network.bundle import Provenance

    about = Provenance(kind="generated", summary="Weights generated from seed 1, for a benchmark.")
    made = export_bundle(
        generated_network(512), folder / "bundle", name="generated", provenance=about, licence="Apache-2.0"
    )
    return Session.open(made, device="cpu")


def _make_shot(folder: Path, frames: int) -> Shot:
    for kind in ("plate", "matte"):
        (folder / kind).mkdir()
    grain = np.random.default_rng(1).normal(0, 0.02, (HEIGHT, WIDTH, 3)).astype(np.float32)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for frame in range(1001, 1001 + frames):
        waves = [0.4 + 0.35 * np.sin(x / 70 + frame / 9 + c) * np.cos(y / 50 - frame / 7) for c in range(3)]
        rgba = np.ones((HEIGHT, WIDTH, 4), np.float16)
        rgba[:, :, :3] = np.stack(waves, axis=2) + np.roll(grain, frame * 37, axis=1)
        spec = oiio.ImageSpec(WIDTH, HEIGHT, 4, "half")
        spec.attribute("compression", "zip")
        _save(folder / "plate" / f"plate.{frame}.exr", spec, rgba)
        matte = np.zeros((HEIGHT, WIDTH, 1), np.float16)
        left, top = 600 + 8 * (frame - 1001), 340
        matte[top : top + HOLE, left : left + HOLE] = 1
        spec = oiio.ImageSpec(WIDTH, HEIGHT, 1, "half")
        spec.channelnames = ("A",)
        spec.attribute("compression", "zip")
        _save(folder / "matte" / f"matte.{frame}.exr", spec, matte)
    names = {kind: str(folder / kind / f"{kind}.####.exr") for kind in ("plate", "matte")}
    return Shot(output=str(folder / "out" / "clean.####.exr"), **names)


def _save(path: Path, spec: oiio.ImageSpec, pixels: np.ndarray) -> None:
    file = oiio.ImageOutput.create(str(path))
    if not (file and file.open(str(path), spec) and file.write_image(pixels) and file.close()):
        raise SystemExit(f"can't write {path}")


if __name__ == "__main__":
    main()

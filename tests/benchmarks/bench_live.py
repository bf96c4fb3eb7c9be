"""How fast the live mode is, how late, and whether its memory stays flat.

    python -m tests.benchmarks.bench_live [--frames 500] [--size 512] [--hole 160] [--threads 1] [--json FILE]

Two shots are made here: a camera that wanders over a street, so that the plate memory soon knows the hole,
and one that stands, so that the network fills the same hole on every frame. The network alone, on the whole
frame, runs in between, so that the ratio can be read on a busy machine; the processor's time tells what the
clock can't there. It fails where neither the clock nor the time of one core gives 24 frames a second.
A frame is handed back by the call that took it: latency is that of the call.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.job.settings import Settings
from plugin_core.live.causal import CausalFiller
from plugin_core.network.session import Session

LEAST_FPS = 24.0
MOST_GROWTH_MB = 32.0
WARM_FRAMES, ALONE_EVERY = 20, 50
SHOTS = ("wandering", "standing")

Picture = NDArray[np.uint8]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_live")
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--hole", type=int, default=160)
    parser.add_argument("--threads", type=int, default=1, help="of the network's")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args(arguments)
    session = Session.open("vinet", device="cpu", threads=given.threads)
    found = {name: measure(session, name, given.frames, given.size, given.hole) for name in SHOTS}
    for name, figures in found.items():
        print(f"{name}: " + ", ".join(f"{what} {_told(value)}" for what, value in figures.items()))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    missed = [f"{name}: {what}" for name, figures in found.items() for what in _missed(figures)]
    print("\n".join(f"MISSED {what}" for what in missed) or "all bars met")
    return 1 if missed else 0


def measure(session: Session, name: str, frames: int, size: int, hole: int) -> dict[str, Any]:
    """Fill one shot; times in milliseconds, memory in MB."""
    filler = CausalFiller(session, size, size, Settings(grow=2, feather=2))
    alone = _network_alone(session, size)
    walls: list[float] = []
    cpus: list[float] = []
    ratios: list[float] = []
    known: list[float] = []
    grown_from = 0.0
    for number, (plate, matte) in enumerate(shot(name, frames + WARM_FRAMES, size, hole)):
        wall, cpu = _timed(lambda plate=plate, matte=matte: filler.step(plate, matte))  # type: ignore[misc]
        if number < WARM_FRAMES:
            continue
        walls.append(wall)
        cpus.append(cpu)
        known.append(float(filler.stats.known))
        if number % ALONE_EVERY == 0:
            ratios.append(_timed(alone)[1] / statistics.median(cpus[-10:]))
        if number == WARM_FRAMES + frames // 5:
            grown_from = _resident_mb()
    walls_sorted = sorted(walls)
    return {
        "frames": len(walls),
        "fps": 1000 / statistics.fmean(walls),
        "ms p50": statistics.median(walls),
        "ms p95": walls_sorted[int(0.95 * len(walls))],
        "ms p99": walls_sorted[int(0.99 * len(walls))],
        "cpu ms a frame": statistics.fmean(cpus),
        "network alone over it": statistics.median(ratios),
        "known at the end": known[-1],
        "memory MB": _resident_mb(),
        "memory growth MB": _resident_mb() - grown_from,
    }


def shot(name: str, frames: int, size: int, hole: int) -> Iterator[tuple[Picture, Picture]]:
    """Yield plates with an object and their mattes."""
    rng = np.random.default_rng(11)
    wide = (3 * size, 2 * size)
    street = np.zeros((wide[1], wide[0], 3), np.float32)
    for cell, strength in ((64, 0.5), (16, 0.3), (4, 0.2)):
        coarse = rng.random((wide[1] // cell, wide[0] // cell, 3), dtype=np.float32)
        street += strength * cv2.resize(coarse, wide, interpolation=cv2.INTER_CUBIC)
    matte = np.zeros((size, size), np.uint8)
    corner = (size - hole) // 2
    matte[corner : corner + hole, corner : corner + hole] = 255
    grain = rng.normal(0, 2, (8, size, size, 3)).astype(np.float32)
    for number in range(frames):
        x = y = size / 2
        if name == "wandering":
            x = size + 0.9 * size * np.sin(number / 70)
            y = size / 2 + 0.3 * size * np.sin(number / 45)
        view = cv2.getRectSubPix(street, (size, size), (x + size / 2, y + size / 2))
        plate = np.clip(view * 255 + grain[number % len(grain)], 0, 255).astype(np.uint8)
        plate[matte > 0] = (20, 200, 40)
        yield plate, matte


def _network_alone(session: Session, size: int) -> Callable[[], object]:
    """Return one frame of the network alone: a source encoded, a step."""
    rng = np.random.default_rng(5)
    picture = rng.random((3, size, size), dtype=np.float32) * 2 - 1
    mask = np.zeros((1, size, size), np.float32)
    mask[:, size // 3 : 2 * size // 3, size // 3 : 2 * size // 3] = 1
    carry = session.start(picture, mask)

    def once() -> object:
        features = session.encode(picture, mask)
        return session.step(picture, mask, [features] * len(session.source_offsets), carry)

    once()
    return once


def _timed(do: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds by the clock and of the processor."""
    clock, used = time.perf_counter(), time.process_time()
    do()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - used)


def _missed(figures: dict[str, Any]) -> list[str]:
    quickest = max(figures["fps"], 1000 / figures["cpu ms a frame"])
    missed = []
    if quickest < LEAST_FPS:
        missed.append(f"{quickest:.1f} frames a second, expected {LEAST_FPS}")
    if figures["memory growth MB"] > MOST_GROWTH_MB:
        missed.append(f"memory grew by {figures['memory growth MB']:.0f} MB")
    return missed


def _resident_mb() -> float:
    """Return the memory in use now; where the system does not say, the peak."""
    status = Path("/proc/self/statm")
    if status.is_file():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _told(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())

"""What a crop costs: with the matte's size, not the plate's, and in bounded memory.

    python -m tests.benchmarks.bench_region [--bundle B] [--frames 12] [--rounds 3] [--travel 11]
    python -m tests.benchmarks.bench_region --plate P --matte M     memory of a shot of your own only

A 300-pixel matte that travels is rendered in an HD plate and in an 8K one, in turns, on one processor thread,
with real pixels and paint, and without: what network, its flows, search for pixels, cropping and composing
take of the processor, in all threads, without reading and writing, must stay within 1.5 times. Take ten
frames or more: key frames are painted once. Then UHD and 8K are rendered each in a process of its own: the
highest resident memory must stay below 6 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from plugin_core.clips.clip import SequenceClip
from plugin_core.job.settings import Run, Settings, Shot
from plugin_core.network.session import Session
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.regions.shot_mattes import ShotMattes
from plugin_core.render import carrying, key_files, pipeline
from plugin_core.render.guiding import Guiding
from plugin_core.render.plan import make_plan
from plugin_core.render.render import render
from plugin_core.render.sources import open_sources
from plugin_core.render.stages import Stages
from plugin_core.render.stepper import Stepper
from tests.benchmarks.bench_render import open_session
from tests.benchmarks.travelling import HOLE, TRAVEL, travelling_shot

COST_BAR, MEMORY_BAR_GB = 1.5, 6.0
HD, UHD, FULL_8K = (1920, 1080), (3840, 2160), (7680, 4320)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a crop costs, in time and memory.")
    parser.add_argument("--bundle", help="a bundle; one with generated weights is made where none is given")
    parser.add_argument("--plate", help="a plate of your own, with --matte")
    parser.add_argument("--matte")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--travel", type=int, default=TRAVEL, help="pixels the matte goes by, a frame")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        print(json.dumps(_own_peak(Shot.model_validate_json(given.child), given.bundle)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bundle = given.bundle or _generated(folder)
        if given.plate:
            shots = {"given": _given(given.plate, given.matte, folder / "out", given.frames)}
        else:
            shots = {"8K": travelling_shot(folder / "8K", FULL_8K, given.frames, travel=given.travel)}
            hd = travelling_shot(folder / "HD", HD, given.frames, travel=given.travel)
            for settings in (Settings(), Settings(propagate="off")):
                _costs(hd, shots["8K"], settings, bundle, given.frames, given.rounds)
            shots["UHD"] = travelling_shot(folder / "UHD", UHD, given.frames, travel=given.travel)
        for name, shot in shots.items():
            _tell_peak(name, shot, bundle)


def _given(plate: str, matte: str, output: Path, frames: int) -> Shot:
    shot = Shot(plate=plate, matte=matte, output=str(output))
    first = open_sources(shot).first
    return shot.model_copy(update={"frames": f"{first}-{first + frames - 1}"})


def _costs(hd: Shot, large: Shot, settings: Settings, bundle: str, frames: int, rounds: int) -> None:
    cv2.setNumThreads(1)
    spent: dict[str, list[float]] = {"HD": [], "8K": []}
    # One thread: then all that the network takes is its caller's processor time, whatever else runs.
    with Session.open(bundle, device="cpu", threads=1) as session:
        for number in range(1, rounds + 1):
            for size, shot in (("HD", hd), ("8K", large)):
                parts, whole = _parts(shot, settings, session)
                spent[size].append(sum(parts.values()))
                told = ", ".join(f"{part} {seconds / frames:.3f}" for part, seconds in parts.items())
                print(f"round {number}, {size}: {told}, all {whole / frames:.3f} s/frame", flush=True)
    ratio = statistics.median(spent["8K"]) / statistics.median(spent["HD"])
    searched = f"pixels of {settings.propagate} frames around" if settings.propagate else "the network alone"
    print(
        f"a {HOLE}-pixel matte costs {ratio:.2f} times in 8K what it does in HD (bar: {COST_BAR}), {searched}"
    )


def _parts(shot: Shot, settings: Settings, session: Session) -> tuple[dict[str, float], float]:
    """Processor seconds of a render's parts, and the seconds of the whole with reading and writing."""
    parts = {"network": 0.0, "flows": 0.0, "pixels": 0.0, "crop": 0.0, "compose": 0.0}
    read = dict.fromkeys(("plates", "mattes", "key frames", "fingerprints"), 0.0)
    began = time.perf_counter()
    with (
        _timed(Stepper, "run", parts, "network"),
        # Its own reading is taken off again below; plates and mattes read elsewhere are in no part.
        _timed(SequenceClip, "plate", read, "plates", within="pixels"),
        _timed(ShotMattes, "hole", read, "mattes", within="pixels"),
        _timed(key_files, "write_plate", read, "key frames", within="pixels"),
        _timed(carrying, "read_plate", read, "key frames", within="pixels"),
        _timed(SequenceClip, "fingerprint", read, "fingerprints", within="pixels"),
        _timed(Stages, "find", parts, "pixels"),
        _timed(Guiding, "guide", parts, "flows"),
        _timed(pipeline, "network_input", parts, "crop"),
        _timed(pipeline, "fills_of", parts, "compose"),
        _timed(pipeline, "laid_in", parts, "compose"),
        _counted_elsewhere(parts, "pixels"),
    ):
        _render(shot, session, settings)
    parts["pixels"] -= sum(read.values())
    return parts, time.perf_counter() - began


_running = threading.local()
_adding = threading.Lock()

_ELSEWHERE = "motion", "aside", "look"
"""Threads that take work of the search for pixels, of painting and of flows."""


@contextmanager
def _counted_elsewhere(spent: dict[str, float], part: str) -> Iterator[None]:
    """Add up what threads take that work for others while the block runs."""
    kept = ThreadPoolExecutor.submit

    def submit(
        self: ThreadPoolExecutor, work: Callable[..., Any], /, *given: Any, **named: Any
    ) -> Future[Any]:
        def run(*given: Any, **named: Any) -> Any:
            _running.part, began = part, time.thread_time()
            try:
                return work(*given, **named)
            finally:
                _running.part = None
                with _adding:
                    spent[part] += time.thread_time() - began

        counted = run if self._thread_name_prefix in _ELSEWHERE else work
        return kept(self, counted, *given, **named)

    ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]
    try:
        yield
    finally:
        ThreadPoolExecutor.submit = kept  # type: ignore[method-assign]


@contextmanager
def _timed(
    owner: Any, name: str, spent: dict[str, float], part: str, within: str | None = None
) -> Iterator[None]:
    """Add up what a function takes while the block runs; where told, only inside another part."""
    kept: Callable[..., Any] = getattr(owner, name)

    def run(*given: Any, **named: Any) -> Any:
        outer = getattr(_running, "part", None)
        if within not in (None, outer):
            return kept(*given, **named)
        _running.part = part
        began = time.thread_time()
        try:
            return kept(*given, **named)
        finally:
            with _adding:
                spent[part] += time.thread_time() - began
            _running.part = outer

    setattr(owner, name, run)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def _render(shot: Shot, session: Session, settings: Settings = Settings()) -> int:  # noqa: B008 (frozen)
    return len(list(render(shot, settings, Run(overwrite=True), session, Reporters([]), Stop())))


def _tell_peak(name: str, shot: Shot, bundle: str) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.bench_region", "--bundle", bundle]
    done = subprocess.run(
        [*command, "--child", shot.model_dump_json()], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout)
    print(
        f"{name}: at most {found['gigabytes']:.2f} GB resident (bar: {MEMORY_BAR_GB}), "
        f"{found['seconds']:.2f} s/frame, crop {found['crop']}",
        flush=True,
    )


def _own_peak(shot: Shot, bundle: str) -> dict[str, Any]:
    with Session.open(bundle, device="cpu") as session:
        began = time.perf_counter()
        frames = _render(shot, session)
        seconds = time.perf_counter() - began
        settings = Settings(working_size=session.working_size)
        lanes = make_plan(open_sources(shot), shot, settings, session).lanes
    return {
        "gigabytes": _peak_bytes() / 1e9,
        "seconds": seconds / frames,
        "crop": "; ".join(str(lane.path.region) for lane in lanes),
    }


def _peak_bytes() -> int:
    """This program's highest resident memory. Linux's `ru_maxrss` would be that of whoever started it too."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _generated(folder: Path) -> str:
    open_session(None, folder).close()
    return str(folder / "bundle")


if __name__ == "__main__":
    main()

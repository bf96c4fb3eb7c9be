"""What shots cost on a farm: a model with a handful of measured figures, and a simulation over machines.

A frame costs ``fixed + per_pixel * pixels seen``: reading, composing and writing the plate, and the network.
A task costs its start besides. Machines take the next task that may begin; a chain's chunk may begin when the
one before it has ended.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """What one machine needs.

    Attributes:
        start: seconds from a task's start to its first frame: process, model, mattes.
        fixed: seconds a frame beside the network, at the plate's size.
        per_pixel: seconds for each pixel that the network sees.
    """

    start: float
    fixed: float
    per_pixel: float

    def frame(self, pixels: int) -> float:
        """Seconds a frame of which the network sees so many pixels."""
        return self.fixed + self.per_pixel * pixels


@dataclass(frozen=True)
class Load:
    """What is to be done.

    Attributes:
        shots, frames: how many, and how long each.
        chunk: frames of a chunk; None for whole shots.
        pre_roll: frames thrown away before each chunk but a shot's first; None for an exact chain.
        megabytes: read and written for each frame.
    """

    shots: int
    frames: int
    chunk: int | None = None
    pre_roll: int | None = None
    megabytes: float = 0.0


def simulate(
    load: Load,
    machines: int,
    machine: Machine,
    frame_seconds: float,
    *,
    spread: float = 0.0,
    storage_mb_s: float | None = None,
    seed: int = 0,
) -> float:
    """Return the seconds until everything is done.

    Args:
        load: the shots.
        machines: how many render.
        machine: their figures.
        frame_seconds: of a frame.
        spread: standard deviation of a machine's speed, as a share: stragglers.
        storage_mb_s: what the shared storage gives all machines together; None for no limit.
        seed: of the machines' speeds.
    """
    dice = random.Random(seed)
    if storage_mb_s is not None and load.megabytes:
        frame_seconds = max(frame_seconds, machines * load.megabytes / storage_mb_s)
    speeds = [max(0.3, dice.gauss(1, spread)) for _ in range(machines)]
    free = [(0.0, number) for number in range(machines)]
    ready: list[tuple[float, int, int]] = []  # when it may begin, shot, chunk
    heapq.heapify(free)
    size = load.chunk or load.frames
    chunks = [min(size, load.frames - begin) for begin in range(0, load.frames, size)]
    for shot in range(load.shots):
        if load.pre_roll is None:
            heapq.heappush(ready, (0.0, shot, 0))
        else:
            for number in range(len(chunks)):
                heapq.heappush(ready, (0.0, shot, number))
    end = 0.0
    while ready:
        may, shot, number = heapq.heappop(ready)
        at, who = heapq.heappop(free)
        frames = chunks[number] + (load.pre_roll or 0 if number else 0)
        done = max(at, may) + (machine.start + frames * frame_seconds) / speeds[who]
        end = max(end, done)
        heapq.heappush(free, (done, who))
        if load.pre_roll is None and number + 1 < len(chunks):
            heapq.heappush(ready, (done, shot, number + 1))
    return end


def machine_hours(load: Load, machine: Machine, frame_seconds: float) -> float:
    """Return the hours that all tasks take together."""
    size = load.chunk or load.frames
    tasks = -(-load.frames // size)
    rolled = (tasks - 1) * (load.pre_roll or 0)
    return load.shots * (tasks * machine.start + (load.frames + rolled) * frame_seconds) / 3600

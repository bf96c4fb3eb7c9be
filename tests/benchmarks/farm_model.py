"""What shots cost on a farm: a model with a handful of measured figures, and a simulation over machines.

A task costs its start; each frame ``fixed + per_pixel * pixels seen``: reading, composing and writing the
plate, and the network. Real pixels come on top: each plate is looked at once for a task (read, and its
motion measured), also those just before and after its own frames and a quarter of those farther away, and
each frame's hole is searched for in each of them. The network's sources are searched for too, six frames
beyond the task's at either end. Machines take the next task that may begin; a chain's chunk may begin when
the one before it has ended.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

SOURCES = 6
"""Frames before and after a frame that the network looks at."""

NEAR = 10
"""Frames before and after a frame whose plates are all looked at, about."""


@dataclass(frozen=True)
class Machine:
    """What one machine needs.

    Attributes:
        start: seconds from a task's start to its first frame: process, model, mattes.
        fixed: seconds a frame beside the network, at the plate's size.
        per_pixel: seconds for each pixel that the network sees.
        look: seconds to read a plate for its motion and measure that.
        search: seconds to search one plate for what another frame's hole hides.
    """

    start: float
    fixed: float
    per_pixel: float
    look: float = 0.0
    search: float = 0.0

    def frame(self, pixels: int) -> float:
        """Seconds a frame of which the network sees so many pixels, without real pixels."""
        return self.fixed + self.per_pixel * pixels


@dataclass(frozen=True)
class Load:
    """What is to be done.

    Attributes:
        shots, frames: how many, and how long each.
        chunk: frames of a chunk; None for whole shots.
        pre_roll: frames thrown away before each chunk but a shot's first; None for an exact chain.
        propagate: frames before and after that are searched for real pixels; 0 for none.
    """

    shots: int
    frames: int
    chunk: int | None = None
    pre_roll: int | None = None
    propagate: int = 0

    def tasks(self) -> list[Task]:
        """Return the tasks of one shot, in order."""
        size = self.chunk or self.frames
        return [self.task(begin, min(begin + size, self.frames)) for begin in range(0, self.frames, size)]

    def task(self, begin: int, end: int) -> Task:
        """Return the task that renders frames `begin` to `end` (excluded) of a shot."""
        rendered = range(max(0, begin - (self.pre_roll or 0)), end)
        if not self.propagate:
            return Task(len(rendered), 0, 0)
        reach, last = self.propagate, self.frames - 1
        found = range(max(0, rendered.start - SOURCES), min(last, end - 1 + SOURCES) + 1)
        # Of the plates farther away than the nearest few one in four is looked at.
        before, after = min(found[0], reach), min(last - found[-1], reach)
        looks = len(found) + sum(min(side, NEAR) + max(side - NEAR, 0) // 4 for side in (before, after))
        searches = sum(min(frame, reach) + min(last - frame, reach) for frame in found)
        return Task(len(rendered), looks, searches)


@dataclass(frozen=True)
class Task:
    """What one task does.

    Attributes:
        frames: rendered, those that are thrown away among them.
        looks: plates whose motion is measured.
        searches: pairs of a frame with a hole and a plate that is searched for what it hides.
    """

    frames: int
    looks: int
    searches: int

    def seconds(self, machine: Machine, frame_seconds: float) -> float:
        """Seconds that the task takes; `frame_seconds` is `Machine.frame`."""
        real = self.looks * machine.look + self.searches * machine.search
        return machine.start + self.frames * frame_seconds + real

    @property
    def plates(self) -> int:
        """Plates read and written, if the machine's file cache holds all within reach."""
        return max(self.frames, self.looks) + self.frames


def simulate(
    load: Load,
    machines: int,
    machine: Machine,
    frame_seconds: float,
    *,
    spread: float = 0.0,
    seed: int = 0,
) -> float:
    """Return the seconds until everything is done.

    Args:
        load: the shots.
        machines: how many render, one task each.
        machine: their figures.
        frame_seconds: of a frame, without real pixels.
        spread: standard deviation of a machine's speed, as a share: stragglers.
        seed: of the machines' speeds.
    """
    dice = random.Random(seed)
    speeds = [max(0.3, dice.gauss(1, spread)) for _ in range(machines)]
    free = [(0.0, number) for number in range(machines)]
    tasks = load.tasks()
    chained = load.pre_roll is None
    # When it may begin, shot, chunk.
    ready = [(0.0, shot, n) for shot in range(load.shots) for n in range(1 if chained else len(tasks))]
    end = 0.0
    while ready:
        may, shot, number = heapq.heappop(ready)
        at, who = heapq.heappop(free)
        took = tasks[number].seconds(machine, frame_seconds) / speeds[who]
        done = max(at, may) + took
        end = max(end, done)
        heapq.heappush(free, (done, who))
        if chained and number + 1 < len(tasks):
            heapq.heappush(ready, (done, shot, number + 1))
    return end


def machine_hours(load: Load, machine: Machine, frame_seconds: float) -> float:
    """Return the hours that all tasks take together."""
    each = sum(task.seconds(machine, frame_seconds) for task in load.tasks())
    return load.shots * each / 3600

"""A shot's frames on a fixed grid of chunks: the same for whoever asks, so that a retry repeats a chunk."""

from __future__ import annotations

from ..clips.clip import open_clip
from ..errors import InputError
from ..job.job import Job
from ..job.settings import Shot
from ..render.sources import check_complete, plate_of

MOST_CHUNKS = 100_000


def shot_frames(shot: Shot) -> tuple[int, int]:
    """Return a shot's first and last frame, from its range or from what is on disk.

    Raises:
        InputError: the range has gaps, or can't be read.
        MissingFramesError: no range is given and there is no plate.
    """
    asked = shot.frame_range()
    if asked is None:
        there = plate_of(shot).frames()
        return there[0], there[-1]
    if len(asked) != asked.last - asked.first + 1:
        raise InputError(f"Frame range {shot.frames} has gaps; give each run of frames as a shot of its own.")
    return asked.first, asked.last


def renders_side_by_side(job: Job) -> bool:
    """Whether chunks of a job may be made at the same time.

    Those of a render with a pre-roll are not those of one go. What is restored, or retargeted over a clean
    plate that is there, depends on files alone: its chunks are exact.
    """
    if job.do == "retarget":
        return job.retarget.clean is not None or job.retarget.keep == "crop"
    return job.do != "render" or job.settings.pre_roll is not None


def is_in_one_go(job: Job) -> bool:
    """Whether a job can't be cut into chunks: a retargeting that renders its clean plate first."""
    return job.do == "retarget" and not renders_side_by_side(job)


def check_frames_there(job: Job) -> None:
    """Look for every frame of a shot's plate and matte; no picture is opened.

    Raises:
        InputError: a range or a name can't be understood.
        MissingFramesError: frames are not on disk; all are listed.
    """
    shot = job.shot
    first, last = shot_frames(shot)
    plate = plate_of(shot)
    check_complete(plate, plate if shot.matte is None else open_clip(shot.matte), first, last)


def grid(first: int, last: int, chunk_frames: int | None) -> list[tuple[int, int]]:
    """Return the chunks of `first`..`last`, each of `chunk_frames` but the last; None makes one of all.

    Raises:
        InputError: there would be more than a hundred thousand.
    """
    size = chunk_frames or last - first + 1
    if (last - first) // size >= MOST_CHUNKS:
        raise InputError(
            f"Frames {first}-{last} in chunks of {size} would be more than {MOST_CHUNKS} chunks; give fewer "
            "frames or longer chunks."
        )
    return [(begin, min(begin + size - 1, last)) for begin in range(first, last + 1, size)]

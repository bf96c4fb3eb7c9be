"""Where an interrupted render goes on, and what a changed input makes necessary again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .clip import Clip
from .errors import InputError
from .fingerprint import Fingerprint
from .frames import compact
from .journal import Entry, Journal
from .network import Network
from .plan import Plan, Sources
from .state import ShotState


def begin(journal: Journal, state: ShotState, plan: Plan) -> None:
    """Prepare a render that starts at the range's first frame: what was known of the range is forgotten.

    Frames of the same render outside the range (another chunk's) stay known.
    """
    first, last = plan.sources.first, plan.sources.last
    own = journal.read_own()
    kept = [entry for entry in own if not first <= entry.frame <= last]
    if state.checkpoints is not None:
        # States of another render are of no use to anyone once this one takes the output over.
        state.checkpoints.drop_from(first if own else -sys.maxsize, "the render starts again")
    journal.restart(kept)


@dataclass(frozen=True)
class HandedIn:
    """The state before the first frame, as far as resuming is concerned.

    Attributes:
        digest: of its carry; empty where none was handed in.
        load: puts the shot's state there.
    """

    digest: str
    load: Callable[[], None]


def go_on(
    journal: Journal,
    state: ShotState,
    plan: Plan,
    network: Network,
    tell: list[str],
    *,
    handed_in: HandedIn | None = None,
    need_state: bool = False,
) -> int:
    """Prepare a render that goes on; returns the first frame to render, beyond the last when all is there.

    Args:
        journal: what was finished.
        state: restored to the frame before the one returned.
        plan: the render as asked for now.
        network: takes restored states.
        tell: sentences for the user are added here.
        handed_in: the state before the first frame, where there is one.
        need_state: the state after the last frame must be on disk at the end.

    Raises:
        StateError: what is there belongs to another render.
        InputError: the output has frames that no render of ours made.
    """
    entries = journal.read()
    sources = plan.sources
    if entries is None:
        refuse_existing(
            sources, "they are not of a render that could be resumed; use --overwrite to replace them"
        )
        entries = []
    latest = {entry.frame: entry for entry in entries}
    needed = min(_first_missing(latest, sources), _first_stale(latest, state, plan, handed_in, tell))
    if needed > sources.last and need_state and plan.region is not None and not _has_last(state, sources):
        needed = sources.last
    if needed > sources.last:
        return needed
    start = needed if plan.region is None else _restore(state, network, needed, handed_in)
    journal.restart(
        [entry for frame, entry in sorted(latest.items()) if frame < start or frame > sources.last]
    )
    return start


def _first_missing(latest: Mapping[int, Entry], sources: Sources) -> int:
    frames = range(sources.first, sources.last + 1)
    return next((f for f in frames if not _is_done(latest.get(f), sources)), sources.last + 1)


def _first_stale(
    latest: Mapping[int, Entry], state: ShotState, plan: Plan, handed_in: HandedIn | None, tell: list[str]
) -> int:
    """Return the first frame made from an input that is no longer the same; forget the states after it."""
    sources = plan.sources
    first = latest.get(sources.first)
    if first is not None and first.handed_in != (handed_in.digest if handed_in else ""):
        tell.append(f"Another state was handed in: rendering again from frame {sources.first} on.")
        if state.checkpoints is not None:
            state.checkpoints.drop_from(sources.first, "another state was handed in")
        return sources.first
    own = (entry for frame, entry in latest.items() if sources.first <= frame <= sources.last)
    changed = _changed(own, sources)
    if not changed:
        return sources.last + 1
    touched = state.invalidate_from(changed[0], "its plate or matte has changed")
    tell.append(
        f"Plate or matte changed on frames {compact(changed)}: rendering again from frame {touched} on."
    )
    return touched


def _has_last(state: ShotState, sources: Sources) -> bool:
    if state.checkpoints is None:
        return False
    return state.checkpoints.newest(from_frame=sources.last, below=sources.last + 1) is not None


def _restore(state: ShotState, network: Network, before: int, handed_in: HandedIn | None) -> int:
    segment = state.schedule.segment_of(before)
    if handed_in is not None and segment.continues:
        kept = state.checkpoints
        if kept is None or kept.newest(from_frame=segment.first, below=before) is None:
            handed_in.load()
            return segment.first
    return state.restore(network, before=before)


def refuse_existing(sources: Sources, advice: str) -> None:
    """Raise InputError when frames of the output are there already."""
    frames = [frame for frame in sources.output.frames_on_disk() if sources.first <= frame <= sources.last]
    if frames:
        raise InputError(f"Output {sources.output} has frames {compact(frames)} already; {advice}.")


def _is_done(entry: Entry | None, sources: Sources) -> bool:
    if entry is None:
        return False
    try:
        return sources.output.path(entry.frame).stat().st_size == entry.size
    except OSError:
        return False


def _changed(entries: Iterable[Entry], sources: Sources) -> list[int]:
    """Return the input frames whose plate or matte is no longer what was rendered from."""
    clips: dict[str, Clip] = {"plate": sources.plate, "matte": sources.matte}
    # A still or a movie is one file for many frames: it is looked at once.
    holds: dict[tuple[Path, Fingerprint], bool] = {}
    stale = set()
    for entry in entries:
        for frame, marks in entry.inputs.items():
            for kind, mark in marks.items():
                file = clips[kind].path(frame), mark
                if file not in holds:
                    holds[file] = mark.still_holds(file[0])
                if not holds[file]:
                    stale.add(frame)
    return sorted(stale)

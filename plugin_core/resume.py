"""Where an interrupted render goes on, and what a changed input makes necessary again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
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


def go_on(journal: Journal, state: ShotState, plan: Plan, network: Network, tell: list[str]) -> int:
    """Prepare a render that goes on; returns the first frame to render, beyond the last when all is there.

    Args:
        journal: what was finished.
        state: restored to the frame before the one returned.
        plan: the render as asked for now.
        network: takes restored states.
        tell: sentences for the user are added here.

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
        journal.restart([])
        return sources.first
    latest = {entry.frame: entry for entry in entries}
    missing = next(
        (f for f in range(sources.first, sources.last + 1) if not _is_done(latest.get(f), sources)), None
    )
    needed = sources.last + 1 if missing is None else missing
    changed = _changed(latest.values(), sources)
    for frame in changed[:1]:
        touched = state.invalidate_from(frame, "its plate or matte has changed")
        needed = min(needed, touched)
        tell.append(
            f"Plate or matte changed on frames {compact(changed)}: rendering again from frame {touched} on."
        )
    if needed > sources.last:
        return needed
    start = needed if plan.region is None else state.restore(network, before=needed)
    journal.restart(
        [entry for frame, entry in sorted(latest.items()) if frame < start or frame > sources.last]
    )
    return start


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
    newest: dict[tuple[int, str], Fingerprint] = {}
    for entry in entries:
        for frame, marks in entry.inputs.items():
            newest.update({(frame, kind): mark for kind, mark in marks.items()})
    # A still or a movie is one file for many frames: it is looked at once.
    holds: dict[tuple[Path, Fingerprint], bool] = {}
    stale = set()
    for (frame, kind), mark in newest.items():
        file = clips[kind].path(frame), mark
        if file not in holds:
            holds[file] = mark.still_holds(file[0])
        if not holds[file]:
            stale.add(frame)
    return sorted(stale)

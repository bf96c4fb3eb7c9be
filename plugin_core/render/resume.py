"""Where an interrupted render goes on, and what a changed input makes necessary again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..clips.frame_range import frames_words
from ..clips.sequence import compact
from ..disk.fingerprint import Fingerprint
from ..errors import InputError, WriteError
from ..network.contract import Network
from ..progress.watch import Phase, Watch, unwatched
from ..state.journal import Entry, Journal, files_noted, size_of
from ..state.shot_state import ShotState
from .handover import HandedIn
from .key_files import KeyFiles
from .outgrown import outgrown
from .patch_files import lacking_patches, patches_standing, refuse_existing_patches, with_patches
from .plan import MOTION, Plan
from .present import Guard, Present, look, refuse_precious, what_to_do, whose
from .reference_reach import Reach, changed_references, far_touched
from .sources import Sources

_KINDS = {"matte": "matte", "shadow": "shadow matte", "plate": "plate"}
"""Kinds of files that frames are made from, in the order in which changes of them are told."""

_ANOTHER = "they are not of a render that could be resumed"


def begin(
    journal: Journal,
    state: ShotState,
    plan: Plan,
    tell: list[str],
    *,
    keep_edited: bool = False,
    patches: Guard | None = None,
) -> Guard:
    """Prepare a render that starts at the range's first frame: what was known of the range is forgotten.

    Frames of the same render outside the range (another chunk's) stay known.

    Args:
        journal: what was finished, by whatever render.
        state: of the render.
        plan: the render.
        tell: sentences for the user are added here.
        keep_edited: files that are not as a render of ours left them stay.
        patches: what it may replace of patches; None where none are written.

    Returns:
        What the render may replace: all that is there now, but for what is kept.
    """
    sources = plan.sources
    own = journal.read_own()
    present = look(sources.output, _range(sources), {})
    kept = present.precious if keep_edited else frozenset()
    if present.precious:
        tell.append(f"{_sentence(whose(present))}: {'kept as found' if keep_edited else 'replaced'}.")
    if state.checkpoints is not None:
        # States of another render are of no use to anyone once this one takes the output over.
        state.checkpoints.drop_from(sources.first if own else -sys.maxsize, "the render starts again")
    others = [entry for entry in own if entry.frame not in _range(sources)]
    guard = Guard(sources.output, present.files, kept)
    journal.restart(others, _standing(journal, sources, guard, others), patches_standing(journal, patches))
    return guard


def go_on(
    journal: Journal,
    state: ShotState,
    plan: Plan,
    network: Network,
    tell: list[str],
    *,
    handed_in: HandedIn | None = None,
    need_state: bool = False,
    keep_edited: bool = False,
    patches: Guard | None = None,
    watch: Watch = unwatched,
) -> tuple[int, Guard]:
    """Prepare a render that goes on.

    Args:
        journal: what was finished.
        state: restored to the frame before the one returned.
        plan: the render as asked for now.
        network: takes restored states.
        tell: sentences for the user are added here.
        handed_in: the state before the first frame, where there is one.
        need_state: the state after the last frame must be on disk at the end.
        keep_edited: go on around files that are not as a render of ours left them.
        patches: what may be replaced of patches; None where none are written.
        watch: told how the inputs are compared; may raise to stop.

    Returns:
        The first frame to render, beyond the last when all is there; and what may be replaced.

    Raises:
        StateError: what is there belongs to another render.
        InputError: the output has frames that are not as a render of ours left them, or whose render can't
            be gone on with.
    """
    grown = outgrown(journal.found_key(), plan)
    entries = journal.read(grown.parts)
    sources = plan.sources
    latest = with_patches(grown.untouched(entries or []), sources, keep_edited=keep_edited)
    present = look(sources.output, _range(sources), latest)
    if entries is None and not keep_edited:
        refuse_existing(sources, f"{_ANOTHER}; use --overwrite to replace them")
    if entries is None and present.older:
        raise InputError(
            f"Output {sources.output} has {frames_words(present.older)} already; {_ANOTHER}; use --overwrite "
            "--keep-edited to replace those, and no others."
        )
    if not keep_edited:
        refuse_precious(sources.output, present)
    elif present.precious:
        tell.append(f"{_sentence(whose(present))}: kept as found.")
    if present.damaged:
        tell.append(f"{_sentence(frames_words(present.damaged))} can't be read any more: rendered again.")
    guard = Guard(sources.output, present.files, present.precious)
    if grown.parts and entries is not None:
        state.forget_from(grown.touched, grown.why)
        tell.append(f"{grown.why}.")
        standing = _standing(journal, sources, guard, latest.values())
        journal.restart(list(latest.values()), standing, patches_standing(journal, patches))
    stale = first_stale(latest, plan, "" if handed_in is None else handed_in.digest, watch)
    if stale is not None:
        state.forget_from(stale.first, stale.why)
        tell.append(f"{stale.why}: rendering again from frame {stale.first} on.")
    needed = first_needed(latest, sources, present, stale)
    if needed > sources.last and need_state and plan.lanes and not _has_last(state, sources):
        needed = sources.last
    if needed > sources.last:
        return needed, guard
    start = _restore(state, network, sources, needed, handed_in) if plan.lanes else needed
    done = [entry for frame, entry in sorted(latest.items()) if frame < start or frame > sources.last]
    journal.restart(done, _standing(journal, sources, guard, done), patches_standing(journal, patches))
    return start, guard


def _range(sources: Sources) -> range:
    return range(sources.first, sources.last + 1)


def _standing(
    journal: Journal, sources: Sources, guard: Guard, entries: Iterable[Entry]
) -> dict[int, Fingerprint]:
    """Return the files that a journal still has to know of when it begins anew with some entries.

    Those of the range may be replaced, as they are now; those outside it, or where a file is kept, are of
    earlier renders.
    """
    earlier = {
        frame: file
        for frame, file in files_noted(journal.path)
        if file is not None and (frame not in _range(sources) or frame in guard.kept)
    }
    done = {entry.frame for entry in entries}
    return {frame: file for frame, file in {**guard.files, **earlier}.items() if frame not in done}


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


@dataclass(frozen=True)
class Stale:
    """What was made from something that is no longer the same.

    Attributes:
        first: the first output frame that was.
        why: what changed, without a full stop.
    """

    first: int
    why: str


def first_needed(latest: Mapping[int, Entry], sources: Sources, present: Present, stale: Stale | None) -> int:
    """Return the first frame of the range that is missing or stale; beyond the last when none is.

    A file that is kept is as good as one of ours once the journal notes what was read for its frame.
    """
    done = set(present.rendered) | (present.precious & latest.keys())
    missing = next((frame for frame in _range(sources) if frame not in done), sources.last + 1)
    return missing if stale is None else min(missing, stale.first)


def first_stale(
    latest: Mapping[int, Entry], plan: Plan, handed_in: str, watch: Watch = unwatched
) -> Stale | None:
    """Compare finished frames with what is on disk now; changes nothing.

    Args:
        latest: what was finished, by frame.
        plan: the render as asked for now.
        handed_in: digest of the state before the first frame; empty where none is handed in.
        watch: told how the inputs are compared; may raise to stop.
    """
    sources = plan.sources
    first = latest.get(sources.first)
    if first is not None and first.handed_in != handed_in:
        return Stale(sources.first, "Another state was handed in")
    own = [entry for frame, entry in latest.items() if sources.first <= frame <= sources.last]
    with closing(Reach(plan)) as reach:
        found = _elsewhere(own, plan), _changed_input(own, plan, reach, watch)
        changes = [stale for stale in found if stale is not None]
        first_of_all = min([sources.last + 1, *(stale.first for stale in changes)])
        references = changed_references(own, plan, first_of_all, reach, watch)
    if references is not None:
        changes.append(Stale(references.first, references.why))
    return min(changes, key=lambda stale: stale.first, default=None)


def _elsewhere(entries: Sequence[Entry], plan: Plan) -> Stale | None:
    """Return the first frame that was filled through other crops or key frames than the mattes give now."""
    frames = [entry.frame for entry in entries if not _is_there(entry, plan)]
    what = "crops or key frames" if plan.keys else "crops"
    return Stale(min(frames), f"The mattes give other {what}") if frames else None


def _is_there(entry: Entry, plan: Plan) -> bool:
    places = plan.places(entry.frame)
    noted = dict(entry.crops)
    if MOTION not in noted or MOTION not in places:  # it was of no use to one of them
        places.pop(MOTION, None)
        noted.pop(MOTION, None)
    return noted == places


def _changed_input(entries: Sequence[Entry], plan: Plan, reach: Reach, watch: Watch) -> Stale | None:
    """Return the first frame that was made from a plate or matte that is no longer the same."""
    changed = _changed(entries, plan, reach, watch)
    if not changed:
        return None
    source = min(frame for frames in changed.values() for frame in frames)
    named = [
        f"{_KINDS.get(kind, kind)} changed on {frames_words(frames)}" for kind, frames in changed.items()
    ]
    far = far_touched(entries, plan, changed)
    touched = plan.schedule.first_touched(source)
    return Stale(touched if far is None else min(touched, far), _sentence(" and ".join(named)))


def _has_last(state: ShotState, sources: Sources) -> bool:
    if state.checkpoints is None:
        return False
    kept = state.checkpoints.newest(from_frame=sources.last, below=sources.last + 1)
    return kept is not None and kept.key == state.key


def _restore(
    state: ShotState, network: Network, sources: Sources, before: int, handed_in: HandedIn | None
) -> int:
    segment = state.schedule.segment_of(before)
    if handed_in is not None and segment.continues:
        kept = state.checkpoints
        if kept is None or kept.newest(from_frame=segment.first, below=before) is None:
            handed_in.load(state, network, sources)
            return segment.first
    return state.restore(network, before=before)


HOW_TO_GO_ON = "use --resume to go on or --overwrite to start again"
"""What to do where frames of ours are there already."""


def refuse_existing(sources: Sources, advice: str = HOW_TO_GO_ON) -> None:
    """Raise InputError when frames of the output are there already.

    Args:
        sources: of the render.
        advice: what to do where all of them are of renders of ours.
    """
    refuse_existing_patches(sources, advice)
    frames = [frame for frame in sources.output.frames_on_disk() if frame in _range(sources)]
    if not frames:
        return
    told = f"Output {sources.output} has frames {compact(frames)} already"
    present = look(sources.output, _range(sources), {})
    if present.precious:
        raise InputError(f"{told}, and {whose(present)}; {what_to_do(present)}.")
    raise InputError(f"{told}; {advice}.")


def check_whole(
    journal: Journal, sources: Sources, kept: frozenset[int], patches: Guard | None = None
) -> None:
    """Make sure that every frame of the range is noted and on disk, in the size in which it was written.

    Args:
        journal: of the render.
        sources: of the render.
        kept: frames whose files are someone else's: they have only to be there.
        patches: the same of patches, which files are; None where none are written.

    Raises:
        WriteError: frames are not; they have been removed or replaced while the render ran.
    """
    entries = {entry.frame: entry for entry in journal.read_own()}
    noted = {frame: entry.output.size for frame, entry in entries.items()}

    def is_there(frame: int) -> bool:
        size = size_of(sources.output.path(frame))
        return size is not None and frame in noted and (frame in kept or size == noted[frame])

    lacking = [frame for frame in _range(sources) if not is_there(frame)]
    if lacking:
        raise WriteError(
            f"Output {sources.output} lacks {frames_words(lacking)}, or has other files there than were "
            "written; --resume renders them again."
        )
    if sources.patch is not None and patches is not None:
        ours = {frame: entry for frame, entry in entries.items() if frame in _range(sources)}
        without = lacking_patches(ours, sources.patch, patches)
        if without:
            raise WriteError(
                f"Patch {sources.patch} lacks {frames_words(without)}, or has other files there than were "
                "written; --resume renders them again."
            )


def _changed(entries: Sequence[Entry], plan: Plan, reach: Reach, watch: Watch) -> dict[str, list[int]]:
    """Return the input frames that are no longer what was rendered from, of the matte, plate and paint."""
    clips = plan.sources.clips
    keys = KeyFiles(plan, reach.is_reached)
    # A still or a movie is one file for many frames: it is looked at once.
    holds: dict[tuple[Path, Fingerprint], bool] = {}
    stale: dict[str, set[int]] = {kind: set() for kind in (*_KINDS, "paint")}
    for number, entry in enumerate(entries):
        watch(Phase.COMPARING, number, len(entries))
        for frame, marks in entry.inputs.items():
            for kind, mark in marks.items():
                if kind not in clips and kind != "paint":
                    continue  # it is not asked for any more: see `Plan.places`
                file = keys.file(frame) if kind == "paint" else clips[kind].path(frame), mark
                if file not in holds:
                    holds[file] = mark.still_holds(file[0]) and (kind != "paint" or keys.holds(frame, watch))
                if not holds[file]:
                    stale[kind].add(frame)
    return {kind: sorted(frames) for kind, frames in stale.items() if frames}

"""The patches beside an output: which are there, whose they are, and which may be replaced.

A patch belongs to its frame: both are written together and noted in one line of the output's journal, and a
frame whose patch is not as it was written is rendered again.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..clips.sequence import FileSequence, compact
from ..disk.fingerprint import Fingerprint
from ..errors import InputError
from ..state.folder import output_folder
from ..state.journal import Entry, Journal, patches_noted
from ..state.written_files import WrittenFiles
from .present import Guard, Present, look, refuse_precious, what_to_do, whose
from .sources import Sources


def look_at_patches(sources: Sources) -> Present | None:
    """Look at the patches of a render's range; None where none are written."""
    if sources.patch is None:
        return None
    written = WrittenFiles(output_folder(sources.output), patches=True)
    return look(sources.patch, range(sources.first, sources.last + 1), {}, written)


def refuse_existing_patches(sources: Sources, advice: str) -> None:
    """Raise InputError when patches of the range are there already.

    Args:
        sources: of the render.
        advice: what to do where all of them are of renders of ours.
    """
    present = look_at_patches(sources)
    if present is None or not present.files:
        return
    told = f"Patch {sources.patch} has frames {compact(sorted(present.files))} already"
    if present.precious:
        raise InputError(f"{told}, and {whose(present)}; {what_to_do(present)}.")
    raise InputError(f"{told}; {advice}.")


def with_patches(entries: Mapping[int, Entry], sources: Sources, *, keep_edited: bool) -> dict[int, Entry]:
    """Return those finished frames whose patches are there, too; all of them where none are written.

    Args:
        entries: by frame.
        sources: of the render.
        keep_edited: patches of someone else's are as good as ours.
    """
    patch, present = sources.patch, look_at_patches(sources)
    if patch is None or present is None:
        return dict(entries)
    kept = present.precious if keep_edited else frozenset()
    outside = range(sources.first, sources.last + 1)
    return {
        frame: entry
        for frame, entry in entries.items()
        if frame not in outside
        or frame in kept
        or (entry.patch is not None and entry.patch.still_holds(patch.path(frame)))
    }


def guard_patches(sources: Sources, tell: list[str], *, replaces: bool, keep_edited: bool) -> Guard | None:
    """Return what may be replaced of the patches that are there; None where none are written.

    Args:
        sources: of the render.
        tell: sentences for the user are added here.
        replaces: the render starts again and replaces whatever is there.
        keep_edited: files that are not as a render of ours left them stay.

    Raises:
        InputError: there are such files, and neither is said of them.
    """
    patch, present = sources.patch, look_at_patches(sources)
    if patch is None or present is None:
        return None
    if not (replaces or keep_edited):
        refuse_precious(patch, present, "Patch")
    kept = present.precious if keep_edited else frozenset()
    if present.precious:
        tell.append(f"Patch {patch}: {whose(present)}: {'kept as found' if kept else 'replaced'}.")
    return Guard(patch, present.files, kept)


def patches_standing(journal: Journal, guard: Guard | None) -> dict[int, Fingerprint]:
    """Return the patches that a journal still has to know of when it begins anew."""
    return {**dict(patches_noted(journal.path)), **({} if guard is None else guard.files)}


def lacking_patches(entries: Mapping[int, Entry], patch: FileSequence, guard: Guard) -> list[int]:
    """Return the frames whose patch is not there in the size in which it was written."""

    def is_there(frame: int, entry: Entry) -> bool:
        if guard.keeps(frame):
            return True
        return entry.patch is not None and _size(patch, frame) == entry.patch.size

    return [frame for frame, entry in sorted(entries.items()) if not is_there(frame, entry)]


def _size(patch: FileSequence, frame: int) -> int | None:
    try:
        return patch.path(frame).stat().st_size
    except OSError:
        return None

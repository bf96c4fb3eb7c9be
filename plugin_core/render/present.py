"""What lies in the output already, whose it is, and that nothing of anyone else's is replaced."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..clips.frame_range import frames_words
from ..clips.sequence import FileSequence
from ..disk.fingerprint import Fingerprint
from ..errors import ImageError, InputError, WriteError
from ..images import read_plate
from ..state.folder import output_folder
from ..state.journal import Entry
from ..state.written_files import WrittenFiles


@dataclass(frozen=True)
class Present:
    """The frames of a range that have a file, by whose it is; each list ascending.

    Attributes:
        rendered: as the render at hand has written them.
        older: of an earlier render of ours, or of one that was cut short.
        damaged: of ours, and no whole picture any more.
        edited: of ours, and changed since.
        foreign: of no render of ours.
        files: by frame, what each file is like.
    """

    rendered: tuple[int, ...]
    older: tuple[int, ...]
    damaged: tuple[int, ...]
    edited: tuple[int, ...]
    foreign: tuple[int, ...]
    files: Mapping[int, Fingerprint]

    @property
    def precious(self) -> frozenset[int]:
        """Frames that are never replaced unless that is asked for."""
        return frozenset(self.edited) | frozenset(self.foreign)


def look(
    output: FileSequence,
    frames: range,
    entries: Mapping[int, Entry],
    written: WrittenFiles | None = None,
) -> Present:
    """Look at every frame of a range; reads only files that are not as the journals note them.

    Args:
        output: the sequence.
        frames: the range.
        entries: what the render at hand has finished, by frame; empty where there is none.
        written: what the journals know of its files; None for those beside it.
    """
    written = WrittenFiles(output_folder(output)) if written is None else written
    found: dict[str, list[int]] = {kind: [] for kind in ("rendered", "older", "damaged", "edited", "foreign")}
    files: dict[int, Fingerprint] = {}
    for frame in output.frames_on_disk():
        if frame not in frames:
            continue
        path = output.path(frame)
        status = path.lstat()
        noted = written.of(frame, path)
        entry = entries.get(frame)
        if entry is not None and entry.is_whole(path):
            kind = "rendered"
        elif noted is not None:
            kind = "older"
        elif frame not in written:
            kind = "foreign"
        else:
            kind = "edited" if frame in written.kept or _is_picture(path) else "damaged"
        found[kind].append(frame)
        digest = "" if noted is None else noted.digest
        files[frame] = Fingerprint(status.st_size, status.st_mtime_ns, digest)
    return Present(**{kind: tuple(those) for kind, those in found.items()}, files=files)


def _is_picture(path: Path) -> bool:
    try:
        read_plate(path)
    except ImageError:
        return False
    return True


def refuse_precious(output: FileSequence, present: Present, what: str = "Output") -> None:
    """Raise InputError where files would be replaced that are not as a render of ours left them."""
    if present.precious:
        raise InputError(f"{what} {output}: {whose(present)}; {what_to_do(present)}.")


def what_to_do(present: Present) -> str:
    """Say what can be done about such files."""
    them = "it" if len(present.precious) == 1 else "them"
    return (
        f"go on around {them} with --keep-edited, or start again with --overwrite, which replaces {them}; "
        "what is removed is rendered again"
    )


def whose(present: Present) -> str:
    """Say which files are not as a render of ours left them."""
    told = []
    if present.edited:
        changed = "was changed since it was" if len(present.edited) == 1 else "were changed since they were"
        told.append(f"{frames_words(present.edited)} {changed} written")
    if present.foreign:
        are = "is" if len(present.foreign) == 1 else "are"
        told.append(f"{frames_words(present.foreign)} {are} of no render of ours")
    return " and ".join(told)


def refuse_mixing(output: FileSequence, frames: range) -> None:
    """Refuse a folder that holds another sequence under the name that the frames of a render would get.

    Args:
        output: the sequence in the folder, named by us and not by whoever asked.
        frames: of the whole shot.

    Raises:
        InputError: frames beyond the shot are there, and no render of ours wrote them.
    """
    written = WrittenFiles(output_folder(output))
    others = [frame for frame in output.frames_on_disk() if frame not in frames and frame not in written]
    if others:
        raise InputError(
            f"Output folder {output.folder} holds another sequence of the same name, {output.pattern} with "
            f"{frames_words(others)}; give another folder, or a name such as "
            f"{output.folder / 'clean.####'}{output.extension}."
        )


class Guard:
    """Sees to it that only files are replaced that may be.

    Args:
        output: the sequence.
        files: by frame, those that may be, as they were when the render began.
        kept: frames whose files stay, whatever they are.
    """

    def __init__(
        self,
        output: FileSequence,
        files: Mapping[int, Fingerprint] | None = None,
        kept: Collection[int] = (),
    ) -> None:
        self._output = output
        self.kept = frozenset(kept)
        self.files = {frame: file for frame, file in (files or {}).items() if frame not in self.kept}

    def keeps(self, frame: int) -> bool:
        """Whether a frame's file is there and stays as it is."""
        return frame in self.kept and os.path.lexists(self._output.path(frame))

    def check(self, frame: int) -> None:
        """Make sure that nobody has put a file in a frame's place since the render began.

        Raises:
            WriteError: somebody has.
        """
        path = self._output.path(frame)
        if not os.path.lexists(path):
            return
        seen = self.files.get(frame)
        if seen is None or not seen.still_holds(path):
            raise WriteError(
                f"{path} was changed while the render ran, and is not replaced; go on around it with "
                "--keep-edited, or start again with --overwrite."
            )

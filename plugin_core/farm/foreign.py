"""Text of others that goes into an engine's files: names, paths and arguments, with any character in them.

An engine's files have signs of their own: a tab, a brace, a per cent sign. A text that holds one of these
would be read as something else, or as two. Where an engine has no way to write it, the job is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import InputError
from .job import FarmJob

_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
"""Control characters, and what is no character: no engine's files have a way to write all of them."""


def refuse(job: FarmJob, title: str, taken: re.Pattern[str] | None = None) -> None:
    """Raise InputError if an engine can't take a text of the job as it is.

    Args:
        job: what is to be written.
        title: the engine's.
        taken: what the engine would take for a sign of its own; None for control characters only.
    """
    for what, text in _foreign(job):
        for pattern, why in ((_UNWRITABLE, "can't be written there"), (taken, "means something else there")):
            found = pattern.search(text) if pattern is not None else None
            if found is not None:
                raise InputError(
                    f"{title} can't take {what} {text!r} as it is: {found[0]!r} {why}. Use another name."
                )


def _foreign(job: FarmJob) -> Iterator[tuple[str, str]]:
    yield "the job's name", job.name
    yield "the job's folder", str(job.folder)
    yield "--command", job.manners.command
    # What stands in for {job} is the engine's own.
    yield from (("--qc's", piece) for word in job.manners.qc for piece in word.split("{job}"))
    yield from (("--path-map", rule) for rule in job.manners.path_maps)
    for shot in job.shots:
        states = (part.state_out for part in shot.parts if part.state_out is not None)
        yield from ((f"shot {shot.source.name}'s state", state) for state in states)

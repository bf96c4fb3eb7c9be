"""What is asked of a restoration, as its parts know it."""

from __future__ import annotations

from pathlib import Path

from ..damage.finder import Kind, Search
from ..disk.fingerprint import Fingerprint
from ..job.job import Job
from ..job.restore_settings import Restore

_KINDS: dict[str, frozenset[Kind]] = {
    "dirt": frozenset(("dirt",)),
    "scratches": frozenset(("scratch",)),
    "all": frozenset(("dirt", "scratch")),
}
_OF_THE_SHOT = ("colorspace", "view", "compression", "bit_depth", "cuts")
_OF_A_MATTE = ("matte_channel", "matte_invert", "matte_threshold", "matte_fit")


def search_of(asked: Restore) -> Search:
    """Return what is looked for."""
    sizes = asked.smallest, asked.largest
    return Search(_KINDS[asked.kinds], asked.sensitivity, asked.polarity, asked.contrast, *sizes)


def key_of(job: Job) -> dict[str, str]:
    """Return what all pixels depend on beside the pictures. Raises ImageError for a list of finds."""
    asked = job.restore
    key = {"what": job.do, **{name: str(getattr(job.shot, name)) for name in _OF_THE_SHOT}}
    if job.shot.matte is not None:
        return key | {name: str(getattr(job.settings, name)) for name in _OF_A_MATTE}
    fields = asked.model_dump(mode="json", exclude={"review", "protect", "finds"})
    key |= {name: str(value) for name, value in fields.items()}
    return key | {"finds": "" if asked.finds is None else Fingerprint.of(Path(asked.finds)).digest}

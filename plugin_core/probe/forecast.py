"""What a render would do, and why, without doing it: `cleanplate render --dry-run`.

Everything that a render refuses before its first frame is refused here too. Nothing is written, no device is
opened. With ``--json`` (or ``--progress json``) one line is printed, for hosts to act on and to show::

    {"event": "plan", "action": "resume", "first": 1001, "last": 1024, "from": 1006, "frames": 19,
     "reasons": ["Matte changed on frame 1012"]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..clips.sequence import compact
from ..errors import SettingsError
from ..job.job import Job
from ..job.settings import Run, Settings, Shot
from ..network.bundle import Bundle, find_bundle
from ..network.contract import NetworkShape
from ..network.working_size import STANDARD_SIZE, chosen_size
from ..render.coverage import Covered
from ..render.delivery import pictures_of
from ..render.doubts import matte_doubts, picture_doubts, refuse
from ..render.folder import state_folder
from ..render.plan import Plan, make_plan
from ..render.resume import first_needed, first_stale
from ..render.sources import open_sources
from ..state.checkpoints import Checkpoints
from ..state.folder import journal_path
from ..state.journal import Entry, Journal
from ..state.key import differences

Action = Literal["nothing", "start", "resume", "overwrite", "occupied"]


@dataclass(frozen=True)
class Forecast:
    """What a render would do.

    Attributes:
        action: `nothing` when every frame is there as it should be; `start` when none is there; `resume`
            when ``--resume`` does what is missing; `overwrite` when other settings or another model ask for
            all of it again with ``--overwrite``; `occupied` when that would replace frames that no render of
            ours made.
        first, last: the rendered range.
        begin: the first frame that would be rendered, beyond `last` for `nothing`.
        reasons: why, for people; no full stops.
    """

    action: Action
    first: int
    last: int
    begin: int
    reasons: tuple[str, ...]

    @property
    def frames(self) -> int:
        """How many frames would be rendered."""
        return self.last - self.begin + 1

    def as_dict(self) -> dict[str, Any]:
        """Return the event, for machines."""
        event = {"event": "plan", "action": self.action, "first": self.first, "last": self.last}
        return {**event, "from": self.begin, "frames": self.frames, "reasons": list(self.reasons)}

    def __str__(self) -> str:
        why = "; ".join(self.reasons)
        if self.action == "nothing":
            return f"Nothing to render: {why}."
        how = {"start": "", "resume": " with --resume"}.get(self.action, " with --overwrite")
        total = self.last - self.first + 1
        return f"Would render frames {self.begin}-{self.last} ({self.frames} of {total}){how}: {why}."


def forecast_job(job: Job) -> Forecast:
    """Say what rendering a job would do. Raises what the render would raise before its first frame."""
    return forecast(job.shot, job.settings, job.run, Bundle.open(find_bundle(job.run.model)))


def forecast(shot: Shot, settings: Settings, run: Run, network: NetworkShape) -> Forecast:
    """Say what a render would do.

    Args:
        shot, settings: what would be rendered.
        run: `resume` and `overwrite` make no difference; a state handed in is refused.
        network: a model bundle will do.

    Raises:
        CleanplateError: whatever stops the render before its first frame.
    """
    if run.state_in is not None:
        raise SettingsError("A dry run looks at no state; leave --state-in out.")
    sources = open_sources(pictures_of(shot), run.chunk, dry=True)
    folder = state_folder(sources, run.chunk)
    key = Journal(journal_path(folder), {}).found_key()
    # Which device it would run on is not known here; what is there goes on at its size on any.
    size = chosen_size(settings.working_size, key, STANDARD_SIZE)
    covered = Covered(sources)
    refuse(picture_doubts(sources, settings) if run.strict else ())
    sized = settings.model_copy(update={"working_size": size})
    plan = make_plan(sources, shot, sized, network, watch=covered.add)
    refuse(matte_doubts(covered.frames, plan.cuts) if run.strict else ())
    journal = Journal(journal_path(folder), plan.key)
    if key is None:
        return _without_journal(plan)
    changed = differences(key, plan.key)
    if changed:
        named = tuple(f"{name} was {was}, now is {now}" for name, was, now in changed)
        return Forecast("overwrite", sources.first, sources.last, sources.first, named)
    latest = {entry.frame: entry for entry in journal.read() or []}
    return _with_journal(plan, latest, Checkpoints(folder, plan.key))


def _without_journal(plan: Plan) -> Forecast:
    sources = plan.sources
    there = [frame for frame in sources.output.frames_on_disk() if sources.first <= frame <= sources.last]
    if there:
        why = f"frames {compact(there)} of the output are there already and are not of a render of ours"
        return Forecast("occupied", sources.first, sources.last, sources.first, (why,))
    return Forecast("start", sources.first, sources.last, sources.first, ("nothing is rendered yet",))


def _with_journal(plan: Plan, latest: Mapping[int, Entry], kept: Checkpoints) -> Forecast:
    sources = plan.sources
    stale = first_stale(latest, plan, "")
    needed = first_needed(latest, sources, stale)
    if needed > sources.last:
        why = "every frame is there, and neither plate, matte nor settings have changed"
        return Forecast("nothing", sources.first, sources.last, needed, (why,))
    reasons = [] if stale is None else [stale.why]
    if stale is None or needed < stale.first:
        reasons.append(f"frames from {needed} on are not rendered yet")
    begin = _begin(plan, kept, needed) if plan.lanes else needed
    if begin < needed:
        reasons.append(f"the state nearest to frame {needed} is the one before frame {begin}")
    return Forecast("resume", sources.first, sources.last, begin, tuple(reasons))


def _begin(plan: Plan, kept: Checkpoints, needed: int) -> int:
    """Return where a render that needs a frame goes on: after the newest state before it."""
    segment = plan.schedule.segment_of(needed)
    saved = kept.newest(from_frame=segment.first, below=needed)
    return segment.first if saved is None else saved.frame + 1

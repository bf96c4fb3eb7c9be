"""What a render would do, and why, without doing it: `cleanplate render --dry-run`.

Everything that a render refuses before its first frame is refused here too. Nothing is written, no device is
opened. With ``--json`` (or ``--progress json``, after the phases) one line is printed, for hosts to act on
and to show::

    {"event": "plan", "action": "resume", "first": 1001, "last": 1024, "from": 1006, "frames": 19,
     "reasons": ["Matte changed on frame 1012"]}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..clips.frame_range import frames_words
from ..clips.movie_read import is_movie
from ..clips.sequence import compact
from ..errors import SettingsError
from ..job.job import Job
from ..job.settings import Run, Settings, Shot
from ..network.bundle import Bundle, find_bundle
from ..network.contract import NetworkShape
from ..network.working_size import STANDARD_SIZE, chosen_size
from ..progress.watch import Watch, unwatched
from ..render.coverage import Covered
from ..render.delivery import pictures_of
from ..render.doubts import matte_doubts, picture_doubts, refuse
from ..render.folder import is_folder, state_folder
from ..render.made_movie import MadeMovie, look_at_movie, movie_about
from ..render.outgrown import outgrown
from ..render.patch_files import look_at_patches, with_patches
from ..render.plan import Plan, make_plan
from ..render.present import Present, look, refuse_mixing, whose
from ..render.references import check_contents
from ..render.resume import first_needed, first_stale
from ..render.sources import Sources, open_sources
from ..state.checkpoints import Checkpoints
from ..state.folder import journal_path
from ..state.journal import Entry, Journal
from ..state.key import differences

Action = Literal["nothing", "start", "resume", "overwrite", "occupied"]


@dataclass(frozen=True)
class Forecast:
    """What a render would do, and what is there before it.

    Attributes:
        action: `nothing` when every frame is there as it should be; `start` when none is there; `resume`
            when ``--resume`` does what is missing; `overwrite` when other settings or another model ask for
            all of it again with ``--overwrite``; `occupied` when that would replace frames that were changed
            since they were written, or that no render of ours made.
        first, last: the rendered range.
        begin: the first frame that would be rendered, beyond `last` for `nothing`.
        reasons: why, for people; no full stops.
        rendered, edited, missing: what there is of the range, such as ``1-2,4``: frames that a render of ours
            wrote, frames that are not as one left them, and frames without a file; empty for none.
        many: how many frames would be rendered, where that is not all from `begin` on.
    """

    action: Action
    first: int
    last: int
    begin: int
    reasons: tuple[str, ...]
    rendered: str = ""
    edited: str = ""
    missing: str = ""
    many: int | None = None

    @property
    def frames(self) -> int:
        """How many frames would be rendered."""
        return self.last - self.begin + 1 if self.many is None else self.many

    def as_dict(self) -> dict[str, Any]:
        """Return the event, for machines."""
        event = {"event": "plan", "action": self.action, "first": self.first, "last": self.last}
        there = {"rendered": self.rendered, "edited": self.edited, "missing": self.missing}
        what = {"from": self.begin, "frames": self.frames, "reasons": list(self.reasons)}
        return {**event, **what, **there}

    def __str__(self) -> str:
        why = "; ".join(self.reasons)
        if self.action == "nothing":
            told = f"Nothing to render: {why}."
        elif self.action == "occupied":
            told = (
                f"Nothing would be rendered: {why}; go on around what is there with --keep-edited, or start "
                "again with --overwrite."
            )
        else:
            how = {"start": "", "resume": " with --resume"}.get(self.action, " with --overwrite")
            total = self.last - self.first + 1
            told = f"Would render frames {self.begin}-{self.last} ({self.frames} of {total}){how}: {why}."
        return told + self._there()

    def _there(self) -> str:
        """Say what is there, unless it is nothing at all."""
        if not self.rendered and not self.edited:
            return ""
        return (
            f" There now: rendered {self.rendered or 'none'}, edited {self.edited or 'none'}, "
            f"missing {self.missing or 'none'}."
        )


def forecast_job(job: Job, watch: Watch = unwatched) -> Forecast:
    """Say what rendering a job would do. Raises what the render would raise before its first frame.

    `watch` is told how it gets on, and may raise to stop.
    """
    network = Bundle.open(find_bundle(job.run.model))
    return forecast(job.shot, job.settings, job.run, network, watch)


def forecast(
    shot: Shot, settings: Settings, run: Run, network: NetworkShape, watch: Watch = unwatched
) -> Forecast:
    """Say what a render would do.

    Args:
        shot, settings: what would be rendered.
        run: `resume` and `overwrite` make no difference; a state handed in is refused.
        network: a model bundle will do.
        watch: told how it gets on; may raise to stop.

    Raises:
        CleanplateError: whatever stops the render before its first frame.
    """
    if run.state_in is not None:
        raise SettingsError("A dry run looks at no state; leave --state-in out.")
    sources = open_sources(pictures_of(shot), run.chunk, dry=True, watch=watch)
    if is_folder(shot.output):
        refuse_mixing(sources.output, range(sources.begins, sources.ends + 1))
    folder = state_folder(sources, run.chunk)
    key = Journal(journal_path(folder), {}).found_key()
    # Which device it would run on is not known here; what is there goes on at its size on any.
    size = chosen_size(settings.working_size, key, STANDARD_SIZE)
    covered = Covered(sources, watch)
    refuse(picture_doubts(sources, settings) if run.strict else ())
    sized = settings.model_copy(update={"working_size": size})
    plan = make_plan(sources, shot, sized, network, watch=covered.add)
    check_contents(plan, watch)
    refuse(matte_doubts(covered.frames, plan.cuts) if run.strict else ())
    journal = Journal(journal_path(folder), plan.key)
    grown = outgrown(key, plan)
    changed = (
        [] if key is None else [part for part in differences(key, plan.key) if part[0] not in grown.parts]
    )
    entries = {} if changed else grown.untouched(journal.read(grown.parts) or [])
    latest = with_patches(entries, sources, keep_edited=run.keep_edited)
    present = look(sources.output, range(sources.first, sources.last + 1), latest)
    made = _movie(shot, settings, run, network, sources)
    if made is not None:
        return made
    told = _told(plan, journal, key, changed, latest, present, run, watch)
    patches = look_at_patches(sources)
    if patches is not None and patches.precious and not run.keep_edited and told.action != "occupied":
        why = f"in the patch {whose(patches)}"
        told = Forecast("occupied", sources.first, sources.last, sources.first, (why,))
    if grown.parts and told.action == "resume":
        told = replace(told, reasons=(grown.why[0].lower() + grown.why[1:], *told.reasons))
    ours = {*present.rendered, *present.older, *present.damaged}
    missing = set(range(sources.first, sources.last + 1)) - present.precious - ours
    return replace(told, rendered=span(ours), edited=span(present.precious), missing=span(missing))


def _movie(
    shot: Shot, settings: Settings, run: Run, network: NetworkShape, sources: Sources
) -> Forecast | None:
    """Say what a render to a movie that is there would do; None where none is there."""
    path = Path(shot.output)
    there = look_at_movie(path) if is_movie(path) else MadeMovie("missing")
    first, last = sources.first, sources.last
    whole = f"{first}-{last}"
    if there.kind == "missing":
        return None
    if there.is_precious:
        told = f"{path.name} was changed since it was written, or is of no render of ours"
        if run.keep_edited:
            return Forecast("nothing", first, last, last + 1, (f"{told}, and stays",), edited=whole)
        return Forecast("occupied", first, last, first, (told,), edited=whole)
    if there.is_made_of(movie_about(shot, settings, network.model_id), shot, settings):
        why = "the movie is there, and neither plate, matte nor settings have changed"
        return Forecast("nothing", first, last, last + 1, (why,), rendered=whole)
    why = "the movie was made of other pictures, settings or another model"
    return Forecast("resume", first, last, first, (why,), rendered=whole)


def span(frames: Collection[int]) -> str:
    """Return frames as they are told of, such as ``1-2,4``; empty for none."""
    return compact(sorted(frames)) if frames else ""


def _told(
    plan: Plan,
    journal: Journal,
    key: Mapping[str, str] | None,
    changed: list[tuple[str, str, str]],
    latest: Mapping[int, Entry],
    present: Present,
    run: Run,
    watch: Watch,
) -> Forecast:
    sources = plan.sources
    occupied = Forecast("occupied", sources.first, sources.last, sources.first, ())
    if present.foreign and key is None and not run.keep_edited:
        there = f"frames {compact(present.foreign)} of the output are there already"
        return replace(occupied, reasons=(f"{there} and are not of a render of ours",))
    if present.precious and not run.keep_edited:
        return replace(occupied, reasons=(f"in the output {whose(present)}",))
    if key is None and present.older:
        why = f"{frames_words(present.older)} of the output are of another render"
        return Forecast("overwrite", sources.first, sources.last, sources.first, (why,))
    if changed:
        named = tuple(f"{name} was {was}, now is {now}" for name, was, now in changed)
        return Forecast("overwrite", sources.first, sources.last, sources.first, named)
    if key is None and not present.precious:
        return Forecast("start", sources.first, sources.last, sources.first, ("nothing is rendered yet",))
    return _with_journal(plan, latest, present, Checkpoints(journal.path.parent, plan.key), watch)


def _with_journal(
    plan: Plan, latest: Mapping[int, Entry], present: Present, kept: Checkpoints, watch: Watch
) -> Forecast:
    sources = plan.sources
    stale = first_stale(latest, plan, "", watch)
    needed = first_needed(latest, sources, present, stale)
    if needed > sources.last:
        why = "every frame is there, and neither plate, matte nor settings have changed"
        if present.precious:
            why = f"{why}; {whose(present)} and stays"
        return Forecast("nothing", sources.first, sources.last, needed, (why,))
    reasons = [] if stale is None else [stale.why]
    if stale is None or needed < stale.first:
        reasons.append(_lacking(sources, present, needed))
    begin = _begin(plan, kept, needed) if plan.lanes else needed
    if begin < needed:
        reasons.append(f"the state nearest to frame {needed} is the one before frame {begin}")
    return Forecast("resume", sources.first, sources.last, begin, tuple(reasons))


def _lacking(sources: Sources, present: Present, needed: int) -> str:
    """Say what is not there as it should be, from a frame on."""
    lacking = sorted(set(range(needed, sources.last + 1)) - {*present.rendered, *present.precious})
    if lacking[-1] - lacking[0] == sources.last - needed == len(lacking) - 1:
        return f"frames from {needed} on are not rendered yet"
    damaged = [frame for frame in lacking if frame in present.damaged]
    missing = [frame for frame in lacking if frame not in present.damaged]
    told = [f"{frames_words(missing)} {_is(missing)} missing"] if missing else []
    told += [f"{frames_words(damaged)} {_is(damaged)} damaged"] if damaged else []
    return f"{' and '.join(told)}, and what follows goes on from there"


def _is(frames: list[int]) -> str:
    return "is" if len(frames) == 1 else "are"


def _begin(plan: Plan, kept: Checkpoints, needed: int) -> int:
    """Return where a render that needs a frame goes on: after the newest state before it."""
    segment = plan.schedule.segment_of(needed)
    saved = kept.newest(from_frame=segment.first, below=needed)
    return segment.first if saved is None else saved.frame + 1

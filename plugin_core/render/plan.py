"""Everything about a render that can be known, and refused, before the first frame is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..box import Box
from ..clips.frame_range import frames_words
from ..clips.headers import window_words
from ..clips.sequence import compact
from ..color.color_map import ColorMap
from ..color.shot_color import shot_color
from ..disk.fingerprint import Fingerprint
from ..errors import InputError, SettingsError
from ..images import Header
from ..job.settings import Settings, Shot
from ..motion.view import MotionView, motion_view
from ..network.contract import NetworkShape
from ..regions.crop_path import Bounds
from ..regions.hole import Hole
from ..regions.islands import Islands, islands_of
from ..regions.lanes import Lane, choose_lanes, crop_notes, crop_places
from ..regions.sample_matte import excluded
from ..regions.shot_mattes import ShotMattes
from ..schedule import Schedule, takes
from ..state.folder import paint_folder
from ..state.key import FIRST_FRAME, FRAMES_ON_DISK, settings_key
from ..state.origins import GUESSED, LEFT
from .key_frames import KeyFrame, Span, choose_key_frames, span_of
from .reference_files import Reference, check_reference_color
from .sources import Sources, mattes_of

MOTION = "motion"
"""What the view of motion is called among a frame's places; journals of before 0.3 have none."""


@dataclass(frozen=True)
class Plan:
    """A render, decided: its steps, its crop, its colors and what its state depends on.

    Attributes:
        lanes: the crops that the network works on; none where no matte of the shot has a hole: then plates
            are copied and no network runs.
        motion: where the background's motion is measured; None where nothing is filled, or neither are real
            pixels asked for nor does the network take flows.
        cuts: first frames of new takes, ascending.
        key: what saved states of this render are valid for.
        notes: sentences the user should see.
        keys: the frames that are painted, ascending; none where no paint is asked for.
        tells_places: whether it is to be known of each pixel that is found which frame and place it is from.
        references: what was painted by hand, by frame.
    """

    sources: Sources
    settings: Settings
    schedule: Schedule
    lanes: tuple[Lane, ...]
    motion: MotionView | None
    color: ColorMap
    cuts: tuple[int, ...]
    key: dict[str, str]
    notes: tuple[str, ...] = ()
    keys: tuple[KeyFrame, ...] = ()
    tells_places: bool = False
    references: Mapping[int, Reference] = field(default_factory=dict)

    def has_hole(self, frame: int) -> bool:
        """Whether anything is filled on a frame."""
        return any(lane.islands.get(frame) for lane in self.lanes)

    def places(self, frame: int) -> dict[str, str]:
        """Say what decides, beside what is read, how a frame is filled: crops, view of motion, key frames."""
        crops = crop_places(self.lanes, frame)
        if self.sources.shadow is not None:
            crops["shadow"] = "given"
        if self.motion is not None:
            crops[MOTION] = str(self.motion)
        if not self.keys:
            return crops
        # The network sees the frames around this one with their paint.
        shown = range(frame - self.schedule.reach, frame + self.schedule.reach + 1)
        spans = (self.span(each) for each in shown)
        paints = {key for span in spans if span is not None for key in span.keys}
        return {**crops, "paint": compact(sorted(paints))} if paints else crops

    def span(self, frame: int) -> Span | None:
        """Return the regular key frames whose paint a frame takes, and between which; None for none."""
        if not self.keys or not self.sources.lower <= frame <= self.sources.upper:
            return None
        return span_of([key.frame for key in self.keys], frame, self.take_of(frame), self.schedule.search)

    def take_of(self, frame: int) -> tuple[int, int]:
        """Return the first and last frame of the take that a frame lies in."""
        every = takes(self.sources.lower, self.sources.upper, self.cuts)
        return next(take for take in every if take[0] <= frame <= take[1])

    @property
    def rest(self) -> str:
        """The class of those pixels of a hole that no stage finds (`state.origins`)."""
        return LEFT if self.settings.paint == "off" else GUESSED

    def searched(self, frame: int) -> range:
        """Return the frames that are searched for a frame's hole: those near it in its take."""
        reach = self.schedule.search
        first, last = self.take_of(frame)
        return range(max(frame - reach, first), min(frame + reach, last) + 1)

    def references_of(self, frame: int) -> list[int]:
        """Return the reference frames of a frame's take, ascending."""
        first, last = self.take_of(frame)
        return [reference for reference in sorted(self.references) if first <= reference <= last]

    def looked_at(self, frame: int) -> range:
        """Return all frames that may have a part in what is found for a frame's hole.

        Those that are searched, and those on the way to reference frames.
        """
        searched, references = self.searched(frame), self.references_of(frame)
        return range(min([searched[0], *references]), max([searched[-1], *references]) + 1)


MatteWatch = Callable[[int, Hole | None], None]
"""Called with each matte's frame, and its hole, after it was read; may raise to stop."""


def make_plan(
    sources: Sources,
    shot: Shot,
    settings: Settings,
    network: NetworkShape,
    *,
    continues: bool = False,
    watch: MatteWatch = lambda frame, hole: None,
) -> Plan:
    """Decide how a shot is rendered; reads every matte once.

    Args:
        sources: from `open_sources`.
        shot: where the pictures are.
        settings: what was asked for, with a working size.
        network: the model, opened or not.
        continues: the state before the first frame will be handed in.
        watch: called after each matte.

    Raises:
        ImageError: a matte can't be read or does not fit its plate.
        InputError: the matte covers the whole picture on every frame, or a cut names no frame.
        SettingsError: nothing ahead is to be looked at.
    """
    if settings.look_ahead is not None:
        raise SettingsError(
            "look_ahead 0 is for frames in memory and streams (cleanplate.fill, cleanplate stream); a render "
            "of files looks ahead: leave it out."
        )
    cuts = _check_cuts(shot, sources)
    _check_beginning(sources, settings, cuts, continues)
    schedule = Schedule(
        first=sources.first,
        last=sources.last,
        lower=sources.lower,
        upper=sources.upper,
        cuts=cuts,
        continues=continues,
        warmup=settings.warmup,
        offsets=network.source_offsets,
        matte_union=settings.matte_union,
        search=settings.propagate,
        begins=sources.begins,
        pre_roll=settings.pre_roll,
    )
    header = sources.header
    assert settings.working_size is not None  # see working_size.chosen_size
    mattes = mattes_of(sources, settings, cuts)
    islands = _scan(sources, mattes, watch)
    lanes = choose_lanes(
        islands,
        takes(sources.lower, sources.upper, cuts),
        Bounds(_whole(header), network.size_multiple, settings.working_size, network.hole_reach),
        region=settings.region,
        context=settings.context,
        reach=schedule.reach,
    )
    boxes = (box for held in islands.values() for box in held)
    view = motion_view(boxes, width=header.width, height=header.height)
    searched = settings.propagate or sources.references or network.guide_scales
    motion = view if searched else None
    choice = shot_color(shot, settings, sources.plate, header, range(sources.lower, sources.upper + 1))
    key = _key(network, sources, choice.color, settings, cuts)
    notes = (*choice.notes, *crop_notes(lanes), *_matte_notes(sources, mattes))
    keys = _keys(sources, settings, cuts, islands) if settings.propagate else ()
    if keys:
        excluded(sources.sample, sources.first, header, settings, Box(0, 0, 1, 1))  # one that fits
    elif sources.sample is not None:
        notes += (f"Sample matte {sources.sample.name} makes no difference: nothing is painted here.",)
    if keys:
        notes += (f"Key frames are painted into {paint_folder(sources.output)}, and may be mended there.",)
    for path in sources.references.values():
        check_reference_color(path, header, choice.color, shot.ocio_config)
    references = {
        frame: Reference(frame, path, Fingerprint.of(path)) for frame, path in sources.references.items()
    }
    decided = sources, settings, schedule, lanes, motion, choice.color, cuts, key, notes, keys
    return Plan(*decided, references=references)


def _keys(
    sources: Sources, settings: Settings, cuts: tuple[int, ...], islands: dict[int, Islands]
) -> tuple[KeyFrame, ...]:
    if settings.paint != "auto":
        return ()
    return choose_key_frames(
        islands,
        takes(sources.lower, sources.upper, cuts),
        search=settings.propagate,
        width=sources.header.width,
        height=sources.header.height,
    )


def _check_beginning(sources: Sources, settings: Settings, cuts: tuple[int, ...], continues: bool) -> None:
    """Refuse a chunk that would silently begin in the middle of a take."""
    first = sources.first
    if continues and settings.pre_roll is not None:
        raise SettingsError(
            f"Chunk {first}-{sources.last} has a state handed in and a pre-roll; give one of them."
        )
    if continues or settings.pre_roll is not None or first == sources.begins or first in cuts:
        return
    raise SettingsError(
        f"Chunk {first}-{sources.last} needs the state after frame {first - 1}: give it with --state-in, or "
        "an approximate chunk a --pre-roll."
    )


def _check_cuts(shot: Shot, sources: Sources) -> tuple[int, ...]:
    for cut in shot.cuts:
        if not sources.lower < cut <= sources.upper:
            raise SettingsError(
                f"Cut {cut} is not inside the frames on disk, {sources.lower}-{sources.upper}; a cut is the "
                "first frame of a new take."
            )
    return tuple(sorted(set(shot.cuts)))


def _scan(sources: Sources, mattes: ShotMattes, watch: MatteWatch) -> dict[int, Islands]:
    """Return the holes of every frame.

    All readable frames count, not only the range's, so that every part of a shot is rendered with the same
    crops and gives the same pixels as the whole.
    """
    islands: dict[int, Islands] = {}
    everything = True
    header = sources.header
    frames = range(sources.lower, sources.upper + 1)
    for frame in frames[:1] if sources.has_one_hole else frames:
        hole = mattes.hole(frame)
        islands[frame] = () if hole is None else islands_of(hole.alpha > 0, hole.box, _whole(header))
        everything &= hole is not None and hole.covers(header.width, header.height)
        watch(frame, hole)
    if everything:
        raise InputError(
            f"Matte {sources.matte.name} covers the whole picture on every frame, so there is nothing to "
            "fill from; is it inverted, or is it the wrong channel (--matte-channel)?"
        )
    return {frame: islands.get(frame, islands[frames[0]]) for frame in frames}


def _matte_notes(sources: Sources, mattes: ShotMattes) -> Iterator[str]:
    """Tell once of what was found in mattes."""
    if mattes.unknown:
        where = "" if sources.has_one_hole else f" on {frames_words(mattes.unknown)}"
        count = sum(mattes.unknown.values())
        yield f"Matte {sources.matte.name} has NaN pixels{where} ({count} in all): they are filled."


def _whole(header: Header) -> Box:
    return Box(0, 0, header.width, header.height)


def _key(
    network: NetworkShape,
    sources: Sources,
    color: ColorMap,
    settings: Settings,
    cuts: tuple[int, ...],
) -> dict[str, str]:
    asked = sources.storage
    layers = [f"layer {name}" for name in sorted(sources.own_layers)]
    layers += ["whole patches"] if sources.patch is not None and sources.whole_patch else []
    readable = f"{sources.lower}-{sources.upper}"
    return {
        "model": network.model_id,
        "plate size": f"{sources.header.width}x{sources.header.height}",
        "plate window": window_words(sources.header),
        "filled channels": ", ".join(sources.header.channels[c] for c in sources.header.fill_channels),
        "stored as": ", ".join((asked.compression or "the plate", asked.bit_depth or "the plate", *layers)),
        FRAMES_ON_DISK: readable,
        FIRST_FRAME: str(sources.begins),
        "color": color.key,
        "cuts": ",".join(map(str, cuts)),
        **({} if sources.sample is None else {"sample matte": "given"}),
        **settings_key(settings),
    }

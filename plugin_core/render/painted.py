"""The second stage: paint of key frames, carried to where no frame shows the background.

A frame takes the paint of the key frames beside it, along the very motion that real pixels travel, and from
one to the other it dissolves. Its pixels stand behind real ones; where those are soft they give way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..compose.texture import fine_texture
from ..disk.fingerprint import Fingerprint
from ..memory import give_back
from ..motion.background import awaited
from ..motion.finder import Propagator
from ..patch import Patch, covers
from ..progress.watch import Phase, Watch
from ..regions.hole import Hole
from ..regions.sample_matte import excludes
from .carrying import Carrier, alike
from .key_files import KeyFiles, Made
from .key_frames import KeyFrame
from .key_painting import KeyPainter
from .key_tree import KeyTree
from .plan import Plan
from .real_pixels import RealPixels
from .references import References
from .sources import mattes_of

_VAGUE, _TOLD = 0.3, 0.6
"""Confidence of real pixels below which they do not vouch for paint that looks alike, and from which on."""

_GIVEN_WAY = 0.99
"""Where paint stands for less than this share, its texture is laid over what stands there instead."""


class Painted:
    """Paint carried from key frames; a `stages.Stage`.

    Args:
        plan: of the render, with key frames.
        finder: of real pixels: its motion carries the paint.
        references: what was painted by hand, which key frames take as known; None for nothing.
    """

    origin = "painted"

    def __init__(self, plan: Plan, finder: Propagator, references: References | None) -> None:
        self._plan = plan
        self._finder = finder
        self._references = references
        self._files = KeyFiles(plan, self._reaches)
        self._carrier = Carrier(plan, finder, self._files)
        self._painter = KeyPainter(plan, finder, self._carrier, references)
        self._plates = plan.sources.plate.again()
        self._mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
        self._tree = KeyTree(plan, self._see_to)
        self._marks: dict[int, Fingerprint] = {}
        self._asked: dict[int, frozenset[int]] = {}

    def looks_at(self, frame: int) -> range:
        """Return the frames that lie between this one and the key frames."""
        return self._plan.searched(frame)

    def paints(self, frame: int) -> Mapping[int, Fingerprint]:
        """Return what became of the frames that were seen to for a frame's paint."""
        return {key: self._marks[key] for key in self._asked.get(frame, ())}

    def references(self, frame: int) -> tuple[int, ...]:
        """Return no reference frames: what is taken of them stands before paint."""
        return ()

    def find(self, frame: int, hole: Hole, known: Patch | None, watch: Watch) -> Patch | None:
        """Return what key frames' paint gives a frame's hole; see `stages.Stage`."""
        by_hand = None if known is None else known.origins.get(References.origin)
        if by_hand is not None and covers(by_hand, hole.alpha):
            return None
        keys = self._beside(frame, watch)
        if not keys:
            return None
        # Whoever mended a key frame wants to see what he painted.
        mended = any(map(self._files.is_edited, keys))
        belonging = partial(self._finder.belonging, frame, hole)
        judged = None if mended else self._finder.aside(belonging)
        paint = self._carrier.carried(frame, hole, keys, known, watch)
        share = None if judged is None else awaited(judged, watch)
        if paint is None or mended:
            return paint
        # What passes behind the hole is not on any key frame: there the network goes on with it.
        confidence = paint.confidence if share is None else paint.confidence * share
        entered = None if share is None else paint.confidence - confidence
        guess, same = confidence, None
        if known is not None:
            # What a key frame has from another frame is none, where real pixels say about the same.
            told = np.clip((known.confidence - _VAGUE) / (_TOLD - _VAGUE), 0, 1)
            same = alike(paint, known, max(self._finder.view.pixels_per))
            guess = confidence * (1 - told * same)
        texture = None
        if share is not None and ((share < _GIVEN_WAY) & (hole.alpha > 0)).any():
            texture = fine_texture(paint, known, same, hole.alpha, self._plan.sources.header.height)
        return replace(paint, confidence=confidence, guess=guess, texture=texture, entered=entered)

    def key_frames(self, frames: range, watch: Watch) -> list[int]:
        """Make the key frames whose paint some frames take, and return them, ascending. Raises as `find`."""
        return sorted(
            {key for frame in frames if self._plan.has_hole(frame) for key in self._beside(frame, watch)}
        )

    def close(self) -> None:
        """Let go of the key frames."""
        self._carrier.close()

    def _beside(self, frame: int, watch: Watch) -> tuple[int, ...]:
        """Return the key frames whose paint a frame takes, made now where they are not there."""
        with self._finder.keeping(self._plan.searched(frame)):
            keys, asked = self._tree.beside(frame, watch)
        near = 2 * self._plan.schedule.search
        self._asked = {each: seen for each, seen in self._asked.items() if abs(each - frame) <= near}
        self._asked[frame] = asked
        return keys

    def _see_to(self, key: KeyFrame, watch: Watch) -> bool:
        """Paint a frame, unless that is done or it needs none of its own; return whether it is a key frame.

        Raises:
            ImageError, WriteError: a picture can't be read or written.
        """
        key = replace(key, parents=tuple(each for each in key.parents if self._files.is_painted(each)))
        watch(Phase.PAINTING, len(self._marks), max(len(self._plan.keys), len(self._marks)))
        self._files.ensure(key, partial(self._made, key, watch), self._inputs(key), watch)
        give_back()
        self._marks[key.frame] = self._files.mark(key.frame)
        return self._files.is_painted(key.frame)

    def _made(self, key: KeyFrame, watch: Watch) -> Made:
        hole = self._mattes.hole(key.frame)
        if hole is None:  # its matte has changed since the plan was made: a resume will say so
            return Made(None, key.parents)
        # Nothing in a render takes more memory at a time.
        give_back()
        return self._painter.paint(key, hole, self._plates.plate(key.frame), watch)

    def _reaches(self, reference: int, frame: int, watch: Watch) -> bool:
        hole = self._mattes.hole(frame)
        if self._references is None or hole is None:
            return False
        return self._references.share(frame, hole, reference, watch) > 0

    def _inputs(self, key: KeyFrame) -> Mapping[str, range]:
        plates = self._plan.looked_at(key.frame)
        joined = self._mattes.joined(plates[0]), self._mattes.joined(plates[-1])
        mattes = range(joined[0].start, joined[1].stop)
        inputs = {kind: plates if kind == "plate" else mattes for kind in self._plan.sources.clips}
        if excludes(self._plan.sources.sample, key.frame):
            inputs["sample"] = range(key.frame, key.frame + 1)
        return inputs


def open_painted(plan: Plan, before: Sequence[object]) -> Painted | None:
    """Open the stage; None where no paint is asked for, or nothing is filled."""
    real = next((stage for stage in before if isinstance(stage, RealPixels)), None)
    references = next((stage for stage in before if isinstance(stage, References)), None)
    return None if real is None or not plan.keys else Painted(plan, real.finder, references)

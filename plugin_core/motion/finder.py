"""Finds real pixels for a shot's holes, frame by frame, from its plates and mattes alone.

What is found for a frame depends on the frames within the look-ahead and on nothing else, so a render that is
resumed, cut into chunks or sought into finds the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import Clip
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..images import Plate
from ..patch import Patch
from ..regions.hole import Hole
from ..regions.shot_mattes import ShotMattes
from .background import Background, Found, Look
from .borders import Borders
from .carry import Carried, carried
from .crop_store import CropStore
from .itinerary import last_stop, stopped_at, visited
from .resharpen import FineContrast
from .sampling import Sampler, bilinear, lanczos
from .strangers import Border, border_of, movers
from .trace import follow, share_shown, trace
from .view import MotionView
from .vote import ReadPixels, propagated
from .ways import Ways, legs, ways

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Propagator:
    """Finds real pixels for the holes of one shot. For one thread, and what that begins `aside`.

    Args:
        clip: the plate, read through a cursor of its own.
        mattes: of the shot, not shared with another reader.
        color: of the plate.
        view: the part of the plate on which motion is measured, and at what size.
        within: returns the frames that may be looked at for a frame; nothing is taken across a cut.
        span: how far apart two frames that are asked for one after the other may lie.
        kept: returns the frames about which something is kept while a frame is in work; None for those that
            may be looked at.
        threads: that measure motion; None for one a core. What is found does not depend on it.
        tells_places: whether patches say which frame and place each pixel is from.
    """

    def __init__(
        self,
        clip: Clip,
        mattes: ShotMattes,
        color: ColorMap,
        view: MotionView,
        within: Callable[[int], range],
        span: int,
        threads: int | None = None,
        kept: Callable[[int], range] | None = None,
        *,
        tells_places: bool = False,
    ) -> None:
        self._within = within
        self._kept = within if kept is None else kept
        self._span = span
        self._mattes = mattes
        self._color = color
        self._tells_places = tells_places
        self.view = view
        self._also = range(0)
        self._held: Set[int] = frozenset()
        self._holes: dict[int, Hole | None] = {}
        self._masked: tuple[Hole, Mask] | None = None
        # Copies: a view would keep the whole plate.
        self._crops = CropStore(lambda frame: np.array(native_pixels(clip.plate(frame), view.crop)))
        self._background = Background(self._look, view.height, view.width, threads)
        self._borders = Borders(self._background, within)

    @property
    def workers(self) -> Executor:
        """The threads that measure motion: they take other work, too, as long as it waits for nothing."""
        return self._background.workers

    def aside(self, work: Callable[[Callable[[], None]], Found]) -> Future[Found]:
        """Begin to look at something of a frame that the caller is at, beside what that does itself.

        The work is handed a watch. It may do all that this does but `find`, of that frame alone.
        """
        return self._background.aside(work)

    def find(
        self,
        frame: int,
        hole: Hole,
        watch: Callable[[int, int], None] = lambda looked, of: None,
        *,
        sharp: bool = False,
    ) -> Patch | None:
        """Return what other frames of the same take show of a frame's hole; None where they show nothing.

        Args:
            frame: which.
            hole: the frame's.
            watch: called again and again with how many plates were looked at, and how many may have to be;
                may raise to stop.
            sharp: as `vote.propagated` has it.

        Raises:
            ImageError: a plate or matte within the look-ahead can't be read.
        """
        self._turned_to(frame)
        frames = self._searched(frame)
        hidden = self._mask(hole)
        visits = visited(frame, frames)
        looked_at = self._background.looked_at
        traces = trace(self._background, frame, hidden, frames, lambda: watch(looked_at(visits), len(visits)))
        if traces is None:
            return None
        watching = partial(watch, len(visits), len(visits))
        return propagated(
            traces,
            hole,
            self.view,
            self._read,
            self._background.hidden,
            watching,
            workers=self._background.workers,
            tells_places=self._tells_places,
            sharp=sharp,
        )

    def carried(
        self,
        frame: int,
        hole: Hole,
        source: int,
        clean: ReadPixels,
        watch: Callable[[], None] = lambda: None,
        where: ReadPixels | None = None,
        by: Sampler = lanczos,
        contrast: FineContrast | None = None,
    ) -> Carried | None:
        """Return what a clean picture of another frame shows of a frame's hole, wherever it got it from.

        Args:
            frame: which.
            hole: the frame's.
            source: the other frame, of the same take.
            clean: gives pixels of the clean picture.
            watch: called again and again; may raise to stop.
            where: gives (h, w, 3), how far it is clean there, 0..1; None for everywhere.
            by, contrast: as `carry.carried` has them.

        Raises:
            ImageError: a plate or matte on the way can't be read.
        """
        self._turned_to(frame)
        hidden = self._mask(hole)
        useful = None if where is None else self._part(source, where)
        found = follow(self._background, frame, hidden, source, watch, useful)
        if found is None:
            return None
        told = self._tells_places
        return carried(*found, hole, self.view, clean, where, by=by, contrast=contrast, tells_places=told)

    def share_shown(
        self,
        frame: int,
        hole: Hole,
        source: int,
        where: ReadPixels,
        watch: Callable[[], None] = lambda: None,
    ) -> float:
        """Return which share of a frame's hole lies in a part of another frame, 0..1; see `carried`."""
        self._turned_to(frame)
        hidden = self._mask(hole)
        return share_shown(self._background, frame, hidden, source, self._part(source, where), watch)

    def _part(self, source: int, where: ReadPixels) -> NDArray[np.bool_]:
        """Return a part of a frame as the view (H, W) has it."""
        return self.view.mask(where(source, self.view.crop)[..., 0] > 0)

    def show(self, frame: int, plate: Plate, hole: Hole | None) -> None:
        """Take a frame from whoever has just read it; what is not shown is read when it is needed."""
        self._crops.put(frame, np.array(native_pixels(plate, self.view.crop)))
        self._holes[frame] = hole

    def hold(self, frames: Set[int]) -> None:
        """Forget nothing that is known of some single frames, however far away, until told otherwise."""
        self._held = frames

    def belonging(
        self, frame: int, hole: Hole, watch: Callable[[], None] = lambda: None
    ) -> NDArray[np.float32] | None:
        """Return how far (h, w) each pixel of a frame's hole hides background, judged by the hole's border.

        1 where the border nearest to it shows what other frames show there, 0 where something else enters the
        hole: someone who passes by; the mean over the frames about this one. None where no frame can tell.
        Arguments and errors as for `carried`.
        """
        self._turned_to(frame)
        share = self._borders.hides_background(frame, watch)
        return None if share is None else self._on_plate(share, hole.box)

    def strangers(
        self, frame: int, hole: Hole, crop: Box, watch: Callable[[], None] = lambda: None
    ) -> NDArray[np.bool_]:
        """Return which pixels of a crop (H, W) of a frame show what is not background, as far as is known.

        Args:
            frame, hole, watch: as for `carried`.
            crop: in pixels of the plate.

        Raises:
            ImageError: a plate or matte that is looked at can't be read.
        """
        border = self._border(frame, hole, watch)
        found = movers(self._background, frame, self._within(frame), watch)
        if border is not None:
            found[border.box.slices] |= border.strange
        return self._on_plate(found.astype(np.float32), crop) > 0

    def _border(self, frame: int, hole: Hole, watch: Callable[[], None]) -> Border | None:
        self._turned_to(frame)
        hidden = self._mask(hole)
        return border_of(self._background, frame, hidden, self._within(frame), watch)

    def _on_plate(self, values: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
        """Bring values (h, w) of the view to a box of the plate (H, W); 0 beyond the view."""
        return bilinear(np.pad(values, 1), *(axis + 1 for axis in self.view.points_of(box)))

    def ways(self, frame: int, others: Sequence[int], x: Floats, y: Floats) -> list[Ways]:
        """Return where points of a frame lie in others near it, along the background's motion.

        Args:
            frame: which.
            others: no farther than the span, in the same take.
            x, y: columns and rows (h, w), in pixels of the plate; so are what is returned.

        Raises:
            ImageError: a plate or matte on the way can't be read.
        """
        self._turned_to(frame)
        self._background.ahead(ends for to in others for ends in legs(frame, to))
        begin = self.view.points(x, y)
        found = []
        for to in others:
            there = ways(self._background, frame, to, *begin)
            apart = there.apart * np.float32(max(self.view.pixels_per))
            found.append(Ways(*self.view.plate_points(there.x, there.y), apart, there.lost))
        return found

    @contextmanager
    def keeping(self, frames: range) -> Iterator[None]:
        """Forget nothing that is known of some frames while the block runs, whichever is looked at in it."""
        self._also, before = frames, self._also
        try:
            yield
        finally:
            self._also = before

    def close(self) -> None:
        """Give temporary files back."""
        self._background.close()
        self._crops.close()

    def _turned_to(self, frame: int) -> None:
        """Turn to a frame: forget what lies far from it."""
        # The network's sources lie on both sides of what it fills: what is kept serves all of them.
        wanted = stopped_at(frame, self._kept(frame), self._span).union(self._also, self._held)
        self._background.keep(wanted)
        self._crops.keep(wanted)
        for gone in [each for each in list(self._holes) if each not in wanted]:
            self._holes.pop(gone, None)
        self._crops.near(frame)

    def _searched(self, frame: int) -> range:
        """Return the frames that are searched: to the take's ends, or about as far as may be looked."""
        frames = self._within(frame)
        first, last = (
            end if self._within(end)[place] == end else last_stop(frame, end)
            for place, end in ((0, frames[0]), (-1, frames[-1]))
        )
        return range(first, last + 1)

    def _mask(self, hole: Hole) -> Mask:
        """Return a hole as the view (H, W) has it; one is asked for again and again."""
        if self._masked is None or self._masked[0] is not hole:
            self._masked = hole, self.view.mask(hole.mask_on(self.view.crop))
        return self._masked[1]

    def _look(self, frame: int) -> Look:
        view = self.view
        pixels, missing = network_pixels(view.thinned(self._crops.crop(frame)), self._color)
        picture = np.asarray((view.picture(pixels) + 1) / 2, np.float32)
        hole = self._holes.pop(frame) if frame in self._holes else self._mattes.hole(frame)
        away = np.zeros(picture.shape[:2], np.bool_) if hole is None else view.mask(hole.mask_on(view.crop))
        if missing is not None:
            away |= view.mask(missing)
        return Look(picture, away)

    def _read(self, frame: int, box: Box) -> NDArray[np.float32]:
        local = box.moved(-self.view.crop.x0, -self.view.crop.y0)
        pixels, _ = network_pixels(self._crops.crop(frame, local), self._color)
        return np.ascontiguousarray(pixels)

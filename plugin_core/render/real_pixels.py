"""The first stage: what other frames show of a hole (`motion.finder`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..disk.fingerprint import Fingerprint
from ..motion.finder import Propagator
from ..patch import Patch, covers
from ..progress.watch import Phase, Watch
from ..regions.hole import Hole
from .plan import Plan
from .references import References, finder_of


class RealPixels:
    """Real pixels from the frames around; a `stages.Stage`.

    Args:
        finder: of the shot.
        within: the frames that it looks at for a frame.
    """

    origin = "found"

    def __init__(self, finder: Propagator, within: Callable[[int], range]) -> None:
        self.finder = finder
        self._within = within

    def looks_at(self, frame: int) -> range:
        """Return all frames within the look-ahead."""
        return self._within(frame)

    def paints(self, frame: int) -> Mapping[int, Fingerprint]:
        """Return no key frames."""
        return {}

    def references(self, frame: int) -> tuple[int, ...]:
        """Return no reference frames."""
        return ()

    def find(self, frame: int, hole: Hole, known: Patch | None, watch: Watch) -> Patch | None:
        """Return what other frames show of a frame's hole; see `stages.Stage`."""
        if known is not None and covers(known.confidence, hole.alpha):
            return None  # all of it was painted by hand

        def looking(looked: int, of: int) -> None:
            # The search itself is told of by frames, by whoever asks for one after the other.
            if looked < of:
                watch(Phase.PLATES, looked, of)
            else:
                watch()

        return self.finder.find(frame, hole, looking)

    def close(self) -> None:
        """Give temporary files back."""
        self.finder.close()


def open_real_pixels(plan: Plan, before: Sequence[object] = ()) -> RealPixels | None:
    """Open the stage; None where no real pixels are asked for, or nothing is filled."""
    if plan.motion is None or not plan.settings.propagate:
        return None
    shared = next((stage.finder for stage in before if isinstance(stage, References)), None)
    return RealPixels(shared or finder_of(plan), plan.searched)

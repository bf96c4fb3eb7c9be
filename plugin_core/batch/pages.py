"""The pages of a batch: an index that tells how it goes, and after it a page to review each shot by."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..errors import CleanplateError
from ..qc.check import Tell
from ..review.build import Review
from ..review.checker import refuse_mattes
from ..review.index import Listed, Row, begin_index, folder_name, write_index
from ..review.place import Folder
from .run import View
from .shots import BatchShot
from .state import Progress, ShotProgress

_RENEW_SECONDS = 5.0


class Pages:
    """An index and what it leads to.

    Args:
        folder: where they go.
        title: of the index.
        shots: every shot's progress.

    Raises:
        WriteError: the folder can't be made or written to.
    """

    def __init__(self, folder: Path, title: str, shots: Sequence[ShotProgress]) -> None:
        self._folder = folder
        self._title = title
        self._shots = shots
        self._problems: dict[str, str] = {}
        self._renewed = time.monotonic()
        begin_index(
            folder, title, [Listed(name=one.name, output=one.output, frames=one.total) for one in shots]
        )
        self.renew()

    def renew(self, *, live: bool = True, at_most_every: float = 0.0) -> Path | None:
        """Write the index as things stand; None where it was written just before."""
        if time.monotonic() - self._renewed < at_most_every:
            return None
        self._renewed = time.monotonic()
        return write_index(self._folder, self._title, [self._row(shot) for shot in self._shots], live=live)

    def write(self, listed: Sequence[BatchShot], tell: Tell) -> Path:
        """Write the page of every shot that is done, and the index for good; returns it.

        A shot whose page can't be made says so in its row.
        """
        jobs = {shot.name: shot.job for shot in listed}
        done = [shot.name for shot in self._shots if shot.state is Progress.DONE]
        for number, name in enumerate(done, 1):
            try:
                refuse_mattes(jobs[name])
                place = Folder(self._folder / folder_name(name))
                review = Review(jobs[name], place, name)
                review.all(partial(_tell, tell, f"page of {name} ({number} of {len(done)})"))
            except CleanplateError as error:
                self._problems[name] = f"No page: {error}"
            self.renew(live=number < len(done))
        tell("")
        return self.renew(live=False) or self._folder

    def _row(self, shot: ShotProgress) -> Row:
        told = [shot.message, self._problems.get(shot.name, ""), *shot.warnings.values()]
        message = next((text for text in told if text), "")
        return Row(shot.name, str(shot.state), shot.done, shot.total, round(shot.seconds, 1), message)


def _tell(tell: Tell, what: str, doing: str) -> None:
    tell(f"{what}: {doing}")


class IndexedView:
    """A batch's view that renews the index, too."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def show(self, shots: Sequence[ShotProgress]) -> None:
        """Show how far it is."""
        self._view.show(shots)
        self._pages.renew(at_most_every=_RENEW_SECONDS)

    def ended(self, shot: ShotProgress) -> None:
        """A shot has ended."""
        self._view.ended(shot)
        self._pages.renew()

    def warned(self, shot: ShotProgress, message: str) -> None:
        """Something looks wrong with a shot that is rendered all the same."""
        self._view.warned(shot, message)

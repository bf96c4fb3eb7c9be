"""Being told to stop: a run of training ends at its next step that can be kept, and keeps it."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Iterator
from types import FrameType

log = logging.getLogger(__name__)


class Asked:
    """Whether the run was told to stop."""

    def __init__(self) -> None:
        self.to_stop = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        self.to_stop = True
        log.info("%s: stopping at the next step that can be kept", signal.Signals(number).name)


@contextlib.contextmanager
def listening() -> Iterator[Asked]:
    """Hear SIGTERM and Ctrl-C while a run goes on; what listened before does so again afterwards."""
    asked = Asked()
    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

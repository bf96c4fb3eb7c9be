"""The command `cleanplate` with one phase that takes minutes: ``python -m tests... PHASE render ...``."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from typing import Any

from plugin_core.cli.__main__ import run
from plugin_core.motion import finder
from plugin_core.network.session import Session
from plugin_core.render.coverage import Covered

SECONDS = 300.0


def slowed(owner: Any, name: str, delay: Callable[[], object]) -> None:
    """Let something take long before it is done."""
    real = getattr(owner, name)

    def slow(*given: Any, **more: Any) -> Any:
        delay()
        return real(*given, **more)

    setattr(owner, name, slow)


def compute() -> None:
    """Stay out of Python for minutes, as a network on a slow machine does."""
    print("computing", file=sys.stderr, flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", int(SECONDS * 1_500_000))


def main() -> None:
    """Slow a phase down, and run the command."""
    phase = sys.argv.pop(1)
    wait = {
        "mattes": (Covered, "add"),
        "plates": (finder.Propagator, "_look"),
        "searching": (finder, "propagated"),
    }
    if phase == "filling":
        slowed(Session, "step", compute)
    else:
        slowed(*wait[phase], lambda: time.sleep(SECONDS / 500))
    run()


if __name__ == "__main__":
    main()

"""Kill a batch at random, again and again, and look at every frame; or try files and messages of strangers.

    python -m tests.benchmarks.soak --kills 200
    python -m tests.benchmarks.soak --files 100000

Batches and workers are stopped (SIGTERM) and killed (SIGKILL) at random moments: while they start,
render, write frames, save states (every one to four frames) and end. A fifth of the kills wait for the
moment at which a state is being written; those that left a half-written one are counted by themselves.
What was begun is always finished by the next run of the same command; each time all is done, every frame
is there once and equals that of an uninterrupted render, byte for byte, and no temporary file or lock is
left; then the outputs are cleared.

Files and messages are those of `tests.fuzz`; the table of docs/reliability.md is printed.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.fuzz.run import try_all
from tests.plugin_core.batch.test_run import kill_at_random
from tests.plugin_core.batches import Shots


def main() -> None:
    """Soak."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument(
        "--files", type=int, default=0, help="try so many files and messages, and kill nothing"
    )
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--model", default="vinet", help="name or path of a bundle (vinet)")
    asked = parser.parse_args()
    if asked.files:
        with tempfile.TemporaryDirectory(prefix="cleanplate-soak-") as folder:
            try_all(asked.files, Path(folder), asked.seed)
        print(f"seed {asked.seed}")
        return
    dice = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="cleanplate-soak-") as folder:
        shots = Shots(Path(folder), Path(asked.model), [10, 7, 12])
        shots.render_true()
        began, left = time.monotonic(), asked.kills
        total: dict[str, int] = {}
        while left:
            some = kill_at_random(shots, min(10, left), dice)
            shots.check()
            shots.clear()
            left -= sum(some.values())
            total = {what: total.get(what, 0) + count for what, count in some.items()}
            print(
                f"{asked.kills - left} kills in {time.monotonic() - began:.0f} s, all frames identical",
                flush=True,
            )
    print(f"seed {asked.seed}: " + ", ".join(f"{count} x {what}" for what, count in total.items()))


if __name__ == "__main__":
    main()

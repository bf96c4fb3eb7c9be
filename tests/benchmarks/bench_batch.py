"""What a batch costs beside rendering: `python -m tests.benchmarks.bench_batch --shots 500`.

Half of the shots have two frames, half have six; all are tiny. A shot costs overhead + frames * pace, so
the two halves tell both. No real pixels are searched for: that would make frames of longer shots dearer.
The overhead holds everything that is not a frame: the list, handing out, opening files, locks, journal,
syncs, and the start of the worker spread over its shots. The bar: 150 ms a shot.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.plugin_core.batches import Shots

SHORT, LONG = 2, 6
BAR_MS = 150


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, default=500)
    parser.add_argument("--model", default="vinet")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cleanplate-bench-") as folder:
        costs = {}
        for length in (SHORT, LONG):
            lengths = [length] * (asked.shots // 2)
            shots = Shots(Path(folder) / str(length), Path(asked.model), lengths, propagate=0)
            began = time.perf_counter()
            code, _, err = shots.run("--jobs", "1", "--progress", "lines")
            assert code == 0, err
            costs[length] = (time.perf_counter() - began) / len(shots.shots)
            print(f"{len(shots.shots)} shots of {length} frames: {1000 * costs[length]:.0f} ms a shot")
        pace = (costs[LONG] - costs[SHORT]) / (LONG - SHORT)
        overhead = 1000 * (costs[SHORT] - SHORT * pace)
        print(f"{1000 * pace:.0f} ms a frame, {overhead:.0f} ms a shot beside (bar: {BAR_MS} ms)")


if __name__ == "__main__":
    main()

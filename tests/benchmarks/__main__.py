"""Run every benchmark: `make bench`, or `python -m tests.benchmarks`. Takes several minutes."""

from __future__ import annotations

import runpy

BENCHMARKS = (
    "bench_network",
    "bench_render",
    "bench_memory",
    "bench_seams",
    "bench_motion",
    "bench_paint",
    "bench_region",
    "bench_follow",
    "bench_pictures",
    "bench_batch",
    "bench_farm",
    "bench_blender",
    "bench_qc",
    "bench_restoration",
    "bench_live",
)

if __name__ == "__main__":
    for name in BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        runpy.run_module(f"tests.benchmarks.{name}", run_name="__main__")

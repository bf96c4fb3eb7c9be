"""What a step of the network costs, against the published formulation and against ONNX Runtime's own rate.

    python -m tests.benchmarks.bench_network [--variant 512] [--size 512] [--rounds 7] [--threads 2]

One frame is one source encoded and one step. Rounds are interleaved (published, ours, convolution rate), and
the ratio is the median of the rounds' ratios: other work on the machine then disturbs all three alike. With
one thread seconds are the processor's, which other work hardly disturbs. Peak memory is that of a fresh
process that runs our graphs alone. Weights are generated: the cost does not depend on them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plugin_core.network.bundle import Provenance
from plugin_core.network.contract import Mask, Picture
from plugin_core.network.session import Session

# Convolutions and correlations of one frame, multiply and add counted as two: all that the published one
# computes, and what is left with nothing done twice and nothing unused.
PUBLISHED_GFLOP = {256: 456.5, 512: 460.3}
NEEDED_GFLOP = {256: 417.0, 512: 291.0}
FLOW_GFLOP = 208.8
"""Of these, the flow nets and correlations of s8, s4 and s2."""
PROBE_CHANNELS, PROBE_SIDE, PROBE_LAYERS = 128, 128, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_network")
    parser.add_argument("--variant", type=int, choices=(256, 512), default=512)
    parser.add_argument("--size", type=int, help="side of the square frame; default: the variant's own")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--still", action="store_true", help="flows of zero, as in the shipped model")
    parser.add_argument(
        "--int8", action="store_true", help="the form in 8 bits too, as an import with --int8"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    size = given.size or given.variant
    if given.memory_of:
        print(_own_peak(given.memory_of, size, given.threads))
        return 0
    found = measure(given.variant, size, given.rounds, given.threads, given.still, given.int8)
    print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def measure(
    variant: int, size: int, rounds: int, threads: int, still: bool = False, int8: bool = False
) -> dict[str, Any]:
    """All figures of one variant at one size.

    `still` zeroes the flows, as those of the shipped model are; `int8` measures the form in 8 bits as well.
    """
    import torch

    from models.network.generated import generated_network
    from models.onnx_export.bundle import export_bundle

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    network = generated_network(variant)
    if still:
        for name, parameter in network.named_parameters():
            if ".flow_estimator.conv1." in name or "convs_fine.convs.6.0." in name:
                parameter.zero_()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:

        def exported(name: str, eight_bits: bool) -> Path:
            about = Provenance(kind="generated", summary="Weights generated from seed 1.")
            into = Path(folder) / name
            return export_bundle(
                network, into, name=name, provenance=about, licence="Apache-2.0", eight_bits=eight_bits
            )

        bundle = exported("float", False)
        peak = _peak_in_fresh_process(bundle, variant, size, threads)
        session = opened.enter_context(Session.open(bundle, device="cpu", threads=threads))
        runs = {
            "published": _published(network, size),
            "ours": _ours(session, size),
            "probe": _probe(threads),
        }
        if int8:
            session = Session.open(exported("int8", True), device="cpu", threads=threads)
            runs["int8"] = _ours(opened.enter_context(session), size)
        seconds = _interleaved(runs, rounds, time.process_time if threads == 1 else time.perf_counter)
    scale = size * size / (variant * variant)
    needed = (NEEDED_GFLOP[variant] - (FLOW_GFLOP if still else 0)) * scale
    return _figures(seconds, needed, PUBLISHED_GFLOP[variant] * scale) | {
        "variant": variant,
        "size": size,
        "threads": threads,
        "rounds": rounds,
        "peak_memory_mb": peak,
    }


def _figures(seconds: dict[str, list[float]], needed: float, published: float) -> dict[str, Any]:
    probe_gflop = PROBE_LAYERS * 2 * 9 * PROBE_CHANNELS**2 * PROBE_SIDE**2 / 1e9
    pairs = list(zip(seconds["published"], seconds["ours"], seconds["probe"], strict=True))
    figures = {
        "published_seconds": statistics.median(seconds["published"]),
        "ours_seconds": statistics.median(seconds["ours"]),
        "fastest_ours_seconds": min(seconds["ours"]),
        "ratio": statistics.median(theirs / ours for theirs, ours, _ in pairs),
        "ratios": [round(theirs / ours, 2) for theirs, ours, _ in pairs],
        "published_gflops": statistics.median(published / theirs for theirs, _, _ in pairs),
        "ours_gflops": statistics.median(needed / ours for _, ours, _ in pairs),
        "convolution_gflops": statistics.median(probe_gflop / probe for _, _, probe in pairs),
        "share_of_convolution_rate": statistics.median(
            (needed / ours) / (probe_gflop / probe) for _, ours, probe in pairs
        ),
    }
    if "int8" in seconds:
        ratios = [theirs / ours for theirs, ours in zip(seconds["published"], seconds["int8"], strict=True)]
        figures |= {
            "int8_seconds": statistics.median(seconds["int8"]),
            "int8_ratio": statistics.median(ratios),
            "int8_ratios": [round(ratio, 2) for ratio in ratios],
        }
    return figures


def table(found: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    rows = [
        ("published formulation, PyTorch", f"{found['published_seconds']:.2f} s a frame"),
        ("our graphs, ONNX Runtime", f"{found['ours_seconds']:.2f} s a frame"),
        ("times faster, median of interleaved rounds", f"{found['ratio']:.2f}"),
        ("our rate", f"{found['ours_gflops']:.0f} GFLOP/s"),
        ("ONNX Runtime's convolution rate", f"{found['convolution_gflops']:.0f} GFLOP/s"),
        ("our share of it", f"{100 * found['share_of_convolution_rate']:.0f} %"),
        ("peak memory, fresh process", f"{found['peak_memory_mb']:.0f} MB"),
    ]
    if "int8_ratio" in found:
        rows[3:3] = [
            ("our graphs in 8 bits", f"{found['int8_seconds']:.2f} s a frame"),
            ("times faster, the same", f"{found['int8_ratio']:.2f}"),
        ]
    head = f"variant {found['variant']}, {found['size']}x{found['size']}, {found['threads']} threads"
    return "\n".join([f"| {head} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _interleaved(
    runs: dict[str, Callable[[], None]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}" if number else "warming up", file=sys.stderr, flush=True)
        for name, run in runs.items():
            # ONNX Runtime's threads go on spinning for a moment: they must not slow what comes next.
            time.sleep(0.2)
            started = clock()
            run()
            if number:  # the first round warms up
                seconds[name].append(clock() - started)
    return seconds


def _frame(size: int) -> tuple[Picture, Mask]:
    """A blocky picture with a hole of a ninth of its side."""
    small = np.random.default_rng(0).random((3, size // 16, size // 16), dtype=np.float32)
    mask = np.zeros((1, size, size), np.float32)
    mask[:, size // 3 : size // 2, size // 3 : size // 2] = 1
    return np.kron(2 * small - 1, np.ones((1, 16, 16), np.float32)), mask


def _published(network: Any, size: int) -> Callable[[], None]:
    import torch

    from .published import published_step

    frame, mask = (torch.from_numpy(array)[None] for array in _frame(size))
    carry = network.start(frame, mask)
    _, carry = published_step(network, frame, mask, [(frame, mask)] * 4, carry)

    def run() -> None:
        published_step(network, frame, mask, [(frame, mask)] * 4, carry)

    return run


def _ours(session: Session, size: int) -> Callable[[], None]:
    frame, mask = _frame(size)
    features = session.encode(frame, mask)
    carry = session.step(frame, mask, [features] * 4, session.start(frame, mask)).carry

    def run() -> None:
        session.step(frame, mask, [session.encode(frame, mask), *[features] * 3], carry)

    return run


def _probe(threads: int) -> Callable[[], None]:
    """Plain 3x3 convolutions, one after another: what ONNX Runtime reaches when it does nothing else."""
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    shape = [1, PROBE_CHANNELS, PROBE_SIDE, PROBE_SIDE]
    values = np.random.default_rng(1).standard_normal((PROBE_CHANNELS, PROBE_CHANNELS, 3, 3)) * 0.03
    weight = numpy_helper.from_array(values.astype(np.float32), "weight")
    nodes = [
        helper.make_node("Conv", [f"x{layer}", "weight"], [f"x{layer + 1}"], pads=[1] * 4)
        for layer in range(PROBE_LAYERS)
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x0", f"x{PROBE_LAYERS}")
    ]
    graph = helper.make_graph(nodes, "probe", ends[:1], ends[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    x = np.zeros(shape, np.float32)
    session.run(None, {"x0": x})
    return lambda: session.run(None, {"x0": x})


def _peak_in_fresh_process(bundle: Path, variant: int, size: int, threads: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.bench_network", "--memory-of", str(bundle)]
    command += ["--variant", str(variant), "--size", str(size), "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _own_peak(bundle: Path, size: int, threads: int) -> float:
    """Peak resident memory of this process over three frames, with five sources held, in MB."""
    frame, mask = _frame(size)
    with Session.open(bundle, device="cpu", threads=threads) as session:
        features = [session.encode(frame, mask) for _ in range(5)]
        carry = session.start(frame, mask)
        for _ in range(3):
            features = [*features[1:], session.encode(frame, mask)]
            carry = session.step(frame, mask, features[:4], carry).carry
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


if __name__ == "__main__":
    raise SystemExit(main())

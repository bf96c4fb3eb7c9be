"""The command `cleanplate worker`."""

from __future__ import annotations

import argparse
import io
import sys
from typing import Any

_HOW = """\
lines in:
  {"id": "sh010", "job": {"shot": {...}, "settings": {...}, "run": {"resume": true}}}
  {"cancel": "sh010"}
lines out:
  {"event": "ready", "pid": 4711, "version": "0.3.0"}
  {"event": "phase", "id": "sh010", "phase": "mattes", "what": "reading mattes", "done": 12, ...}
  {"event": "frame", "id": "sh010", "frame": 1012, "done": 12, "total": 100, "seconds": 0.41, "eta": 36.1}
  {"event": "result", "id": "sh010", "exit_code": 0, "frames": 100, "seconds": 41.2}

A job is what job.json holds (`cleanplate docs job.schema.json`); its exit code is that of `render`. The
worker ends with 0 when its input ends and every job is done; with 143 or 130 on a signal, its state saved.
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    worker = commands.add_parser(
        "worker",
        help="keep the model open and take jobs as JSON lines",
        description="Keep the model open and take jobs as JSON lines on standard input; progress and results "
        "go to standard output as JSON lines.",
        epilog=_HOW,
    )
    worker.add_argument("--model", metavar="NAME", help="open this model before the first job (at the first)")
    worker.add_argument("--device", default="auto", metavar="D", help="where --model is opened (auto)")
    worker.add_argument("--threads", type=int, metavar="N", help="processor threads of --model (all cores)")
    worker.add_argument(
        "--stop-at-eof",
        action="store_true",
        help="the end of the input stops the job at hand, its state saved, instead of finishing all",
    )
    worker.add_argument(
        "--notice",
        type=float,
        metavar="SECONDS",
        help="after SIGTERM or SIGINT, leave a frame that takes longer than this (wait for it)",
    )
    worker.set_defaults(command=_worker)


def _worker(arguments: argparse.Namespace) -> int:
    from ..batch.worker import Ending, Worker
    from ..job.settings import Run
    from ..progress.signals import on_signals

    ending = Ending()
    with on_signals(ending, arguments.notice, ends=True):
        worker = Worker(sys.stdout, ending, stop_at_eof=arguments.stop_at_eof)
        warm = None
        if arguments.model is not None:
            warm = Run(model=arguments.model, device=arguments.device, threads=arguments.threads)
        if isinstance(sys.stdin, io.TextIOWrapper):
            # What is no UTF-8 makes one job fail, not the reading of those after it.
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        return worker.serve(sys.stdin, warm)

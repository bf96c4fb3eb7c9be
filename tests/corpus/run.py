"""Run a corpus of pictures through processes that may die of it, and count what became of each."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 60
"""What one picture may take."""
SPARE_BYTES = 192 << 20
TIMES_UNPACKED = 8
"""Memory that a picture may take: so many times its pixels, and a fixed rest."""

PICTURES = {
    ".exr",
    ".sxr",
    ".dpx",
    ".cin",
    ".tif",
    ".tiff",
    ".png",
    ".jxl",
    ".jpg",
    ".jpeg",
    ".tga",
    ".bmp",
    ".gif",
    ".webp",
    ".hdr",
    ".jp2",
    ".j2k",
    ".pnm",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pfm",
    ".sgi",
    ".rgb",
    ".iff",
    ".rla",
    ".psd",
    ".dds",
    ".ico",
    ".fits",
    ".heic",
    ".avif",
    ".pcx",
    ".qoi",
}

_NOTHING: dict[str, Any] = {"plate": "", "matte": "", "out": "", "cuts": (0, 0), "damaged": (0, 0)}
"""Of a picture that ended the process."""


@dataclass
class Result:
    """What became of a corpus.

    Attributes:
        seen: of each picture, `looker.Seen` as a mapping.
        faults: of each picture that has any.
    """

    seen: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def table(self) -> str:
        """Counts by format, as a Markdown table."""
        rows: dict[str, Counter[str]] = {}
        for one in self.seen:
            row = rows.setdefault(Path(one["path"]).suffix.lower().lstrip(".") or "none", Counter())
            row["pictures"] += 1
            row["plate"] += one["plate"] == "taken"
            row["matte"] += one["matte"] == "taken"
            row["refused"] += one["plate"] != "taken" and one["matte"] != "taken"
            row["written"] += bool(one["out"])
            row["cut"] += sum(one["cuts"])
            row["damaged"] += sum(one["damaged"])
            row["faults"] += len(self.faults.get(one["path"], ()))
        total = sum(rows.values(), Counter[str]())
        columns = ("pictures", "plate", "matte", "refused", "written", "cut", "damaged", "faults")
        heads = (
            "format",
            "pictures",
            "taken as plate",
            "taken as matte",
            "refused as both",
            "written and compared",
            "truncated copies read",
            "damaged copies read",
            "faults",
        )
        lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        for name, row in [*sorted(rows.items()), ("all", total)]:
            lines.append(f"| {name} | {' | '.join(str(row[column]) for column in columns)} |")
        return "\n".join(lines)


def pictures_in(folder: Path) -> list[Path]:
    """Every picture below a folder, by its extension."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file())


def run(files: Sequence[Path], out: Path, *, cut: bool) -> Result:
    """Look at pictures as plates and mattes, and hold what was written against the plates.

    Args:
        files: the pictures.
        out: an empty folder for what is written.
        cut: also look at truncated copies of each.
    """
    result = Result()
    arguments = ["tests.corpus.looker", str(out), "cut" if cut else "whole"]
    lines = [str(path) for path in files if "\n" not in str(path)]
    for line, answer in zip(lines, answers_of(arguments, lines), strict=True):
        seen = {**_NOTHING, "path": line, "faults": [answer]} if isinstance(answer, str) else answer
        faults = list(seen["faults"])
        if seen.get("grown", 0) > SPARE_BYTES + TIMES_UNPACKED * seen.get("unpacked", 0):
            faults.append(f"{seen['grown'] >> 20} MiB for {seen['unpacked'] >> 20} MiB of pixels")
        result.seen.append(seen)
        if faults:
            result.faults[line] = faults
    written = [seen for seen in result.seen if seen["out"]]
    judged = answers_of(["tests.corpus.judge"], [json.dumps(seen) for seen in written])
    for seen, answer in zip(written, judged, strict=True):
        faults = [answer] if isinstance(answer, str) else answer["faults"]
        if faults:
            result.faults.setdefault(seen["path"], []).extend(faults)
        Path(seen["out"]).unlink(missing_ok=True)
    return result


def answers_of(arguments: Sequence[str], lines: Sequence[str]) -> list[dict[str, Any] | str]:
    """Have a module answer lines; after one that ends it, whose answer says how, it is started anew."""
    answers: list[dict[str, Any] | str] = []
    while len(answers) < len(lines):
        answers += _some_answers(arguments, lines[len(answers) :])
    return answers


def _some_answers(arguments: Sequence[str], lines: Sequence[str]) -> list[dict[str, Any] | str]:
    """Answers up to the first line that ends the process, that one included."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    said: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: [said.put(line) for line in process.stdout] + [said.put("")]).start()
    threading.Thread(target=_feed, args=(process, lines)).start()
    answers: list[dict[str, Any] | str] = []
    try:
        while len(answers) < len(lines):
            line = said.get(timeout=SECONDS)
            if line == "":
                code = process.wait()
                answers.append(f"the process ended ({'signal ' if code < 0 else 'code '}{abs(code)})")
                break
            answers.append(json.loads(line))
    except queue.Empty:
        answers.append(f"no answer within {SECONDS} s")
    finally:
        process.kill()
        process.wait()
    return answers


def _feed(process: subprocess.Popen[str], lines: Sequence[str]) -> None:
    assert process.stdin is not None
    try:
        for line in lines:
            process.stdin.write(line + "\n")
        process.stdin.close()
    except (BrokenPipeError, ValueError, OSError):
        pass  # it has ended; whoever reads its answers says so

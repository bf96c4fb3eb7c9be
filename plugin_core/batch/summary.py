"""What came of a batch: as JSON for scripts, as JUnit XML for whatever shows test results."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..disk.atomic import replacing
from ..disk.folders import make_folder
from .state import Progress, ShotProgress

SUMMARY_VERSION = 1

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_json(path: Path, shots: Sequence[ShotProgress], seconds: float) -> None:
    """Write the summary. Raises WriteError."""
    _write(path, json.dumps(summary(shots, seconds), indent=2, ensure_ascii=False) + "\n")


def summary(shots: Sequence[ShotProgress], seconds: float) -> dict[str, Any]:
    """Return the summary as plain fields."""
    counts = {str(state): sum(shot.state is state for shot in shots) for state in Progress}
    return {
        "version": SUMMARY_VERSION,
        "seconds": round(seconds, 3),
        "counts": {name: count for name, count in counts.items() if count},
        "shots": [
            {
                "name": shot.name,
                "state": str(shot.state),
                "exit_code": shot.exit_code,
                "frames": shot.total,
                "done": shot.done,
                "rendered": shot.rendered,
                "seconds": round(shot.seconds, 3),
                "output": shot.output,
                **({"message": shot.message} if shot.message else {}),
                **({"warnings": list(shot.warnings.values())} if shot.warnings else {}),
            }
            for shot in shots
        ],
    }


def write_junit(path: Path, shots: Sequence[ShotProgress], seconds: float) -> None:
    """Write a test suite with a test case for each shot. Raises WriteError."""
    failed = [shot for shot in shots if shot.state is Progress.FAILED]
    skipped = [shot for shot in shots if shot.state in (Progress.STOPPED, Progress.WAITING)]
    suite = ElementTree.Element(
        "testsuite",
        name="cleanplate batch",
        tests=str(len(shots)),
        failures=str(len(failed)),
        errors="0",
        skipped=str(len(skipped)),
        time=f"{seconds:.3f}",
    )
    for shot in shots:
        case = ElementTree.SubElement(
            suite, "testcase", classname="cleanplate", name=_clean(shot.name), time=f"{shot.seconds:.3f}"
        )
        if shot in failed:
            told = ElementTree.SubElement(
                case, "failure", message=_clean(shot.message), type=str(shot.exit_code)
            )
            told.text = _clean(shot.message)
        elif shot in skipped:
            ElementTree.SubElement(case, "skipped", message=_clean(shot.message))
    ElementTree.indent(suite)
    _write(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, "unicode") + "\n")


def _clean(text: str) -> str:
    """Return text without the characters that XML has no way to write."""
    return _NOT_XML.sub("?", text)


def _write(path: Path, text: str) -> None:
    make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8", "backslashreplace")

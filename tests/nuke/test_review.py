"""The button that makes a review page and opens it."""

from __future__ import annotations

import sys
from pathlib import Path


def core_that_notes(folder: Path, ending: str = "") -> Path:
    """A program in the core's place that writes down what it was asked."""
    path = folder / "core"
    path.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\n"
        f"pathlib.Path({str(folder / 'asked')!r}).write_text(' '.join(sys.argv[1:]))\n{ending}\n"
    )
    path.chmod(0o755)
    return path


def rendered(comp, core: Path):
    """A node whose job lies where a render leaves it."""
    node = comp.node(command=core.as_posix())
    job = comp.folder / "cleanplate" / "comp" / "VINetInpaint1" / "v001" / "job" / "job.json"
    job.parent.mkdir(parents=True)
    job.write_text("{}")
    return node, job


def test_review_asks_the_core_for_a_page_and_for_the_browser(comp):
    node, job = rendered(comp, core_that_notes(comp.folder))
    comp.host.press(node, "do_review")
    comp.host.pump(lambda: str(node["status"].value()).startswith("The review page is open"))
    assert (comp.folder / "asked").read_text() == f"review --job {job} --open --quiet"
    assert comp.host.messages == []


def test_review_says_why_there_is_no_page(comp):
    refusal = "cleanplate: argument COMMAND: invalid choice: 'review'"
    node, job = rendered(comp, core_that_notes(comp.folder, f"sys.exit({refusal!r})"))
    job.rename(job.with_name("other.json"))
    comp.host.press(node, "do_review")
    assert "was not rendered yet; press Render first" in comp.host.messages[0]
    job.with_name("other.json").rename(job)
    comp.host.press(node, "do_review")
    comp.host.pump(lambda: len(comp.host.messages) == 2)
    assert "has no 'review' command; update it" in comp.host.messages[1]

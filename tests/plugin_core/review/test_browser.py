"""The page in a real browser: one browser for all of it; skipped, with the reason, where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from plugin_core.cli import main
from plugin_core.review.build import page_text
from plugin_core.review.decisions import Decision
from plugin_core.review.index import Row, write_index

from ..shots import ShotOnDisk
from .browser import Tab, found_browser, opened_browser
from .reviewed import HOSTILE, data_of, rendered_shot

pytestmark = [pytest.mark.slow, pytest.mark.installed, pytest.mark.usefixtures("no_sync")]

MANY = 1000
FIRST = 1001


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> ShotOnDisk:
    """A shot in a folder whose name is markup."""
    found_browser()
    shot = rendered_shot(tmp_path_factory.mktemp("shot") / HOSTILE)
    assert main(["review", "--result", shot.output(), "--name", HOSTILE, "--quiet"]) == 0
    return shot


def page_folder(shot: ShotOnDisk) -> Path:
    return shot.folder / "out" / "clean.review"


def test_looking_by_mouse_and_keys(browser, shot):
    tab = Tab(browser, page_folder(shot))
    tab.open("review.html")
    page = tab.page
    assert tab.shown == FIRST and page.title() == f"{HOSTILE}: review"
    assert page.inner_text("#shot") == HOSTILE and page.locator("img").count() == 0

    tab.press("2")
    plate = tab.canvas()
    tab.press("1")
    result = tab.canvas()
    differs = np.abs(plate - result).max(axis=2) > 24
    assert differs.any() and differs.mean() < 0.5, "the result lies on the very same plate"
    tab.press("f")
    assert np.array_equal(tab.canvas(), plate), "a flip shows the plate"

    tab.press("w")
    columns = np.flatnonzero(differs.any(axis=0))
    middle = int(columns.mean())
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + middle, box["y"] + 50)
    wiped = tab.canvas()
    left, right = np.s_[40:, : middle - 8], np.s_[40:, middle + 8 : -80]
    assert np.array_equal(wiped[left], plate[left]) and np.array_equal(wiped[right], result[right])
    tab.press("[", "[", "[")
    assert not np.array_equal(tab.canvas(), wiped), "the line moves by keys"

    tab.press("d")
    off = tab.canvas()
    assert tab.chosen("modes").startswith("Difference")
    assert np.median(off[differs]) > 60 and np.median(off[~differs]) < 30, "black where nothing was changed"
    tab.press("s", "z", "z")
    assert (tab.chosen("modes"), tab.chosen("zooms")) == ("Side by side", "400 %")
    tab.press("z", "1", "o")
    assert page.get_attribute("#outline", "aria-pressed") == "true"
    assert not np.array_equal(tab.canvas(), result), "the outline shows"
    tab.press("o", "?")
    assert page.is_visible("#keys")
    tab.press("Escape", "End")
    tab.wait_for_frame(FIRST + 5)
    tab.press("ArrowLeft", "ArrowLeft")
    tab.wait_for_frame(FIRST + 3)
    tab.press("Home", " ")
    page.wait_for_selector(f"body:not([data-shown='{FIRST}'])")
    tab.press(" ")
    assert page.inner_text("#play") == "Play"
    tab.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus shows"
    assert tab.wrong == []


def test_plots_faults_and_notes(browser, shot, tmp_path):
    tab = Tab(browser, page_folder(shot))
    tab.open("review.html", f"#{FIRST + 2}/wipe/4")
    page = tab.page
    assert (tab.shown, tab.chosen("modes"), tab.chosen("zooms")) == (FIRST + 2, "Wipe", "400 %")
    over = page.locator(".u-over").nth(1)
    box = over.bounding_box()
    over.click(position={"x": box["width"] - 1, "y": 20})
    tab.wait_for_frame(FIRST + 5)
    data = data_of(page_folder(shot) / "review.html")
    worst = next(fault for fault in data["faults"] if fault["frames"])
    assert page.locator("#faults li").count() == len(data["faults"])
    page.locator("#faults .go", has_text=worst["name"]).first.click()
    tab.wait_for_frame(worst["frames"][0])

    tab.press("a", "c")
    page.keyboard.type(f"soft here {HOSTILE}")
    page.click("text=Add note")
    page.fill("#reviewer", "Kim")
    with page.expect_download() as coming:
        page.click("#save")
    assert coming.value.suggested_filename.endswith(".decision.json")
    saved = tmp_path / "mine.decision.json"
    coming.value.save_as(saved)
    decision = Decision.read(saved)
    assert (decision.decision, decision.reviewer, decision.shot) == ("approved", "Kim", HOSTILE)
    assert [note.text for note in decision.notes] == [f"soft here {HOSTILE}"]

    other = Tab(browser, page_folder(shot))
    other.open("review.html")
    other.page.set_input_files("#file", saved)
    other.page.wait_for_selector("#noted li")
    assert other.page.get_attribute("#approve", "aria-pressed") == "true"
    assert HOSTILE in other.page.inner_text("#noted") and other.page.locator("img").count() == 0
    other.page.set_input_files("#file", page_folder(shot) / "review.html")
    other.page.wait_for_selector("text=holds no decision")
    assert tab.wrong == [] and other.wrong == []


def test_one_file_needs_nothing_beside_it(browser, shot, tmp_path):
    assert (
        main(["review", "--result", shot.output(), "--single-file", "--page", str(tmp_path / "p.html"), "-q"])
        == 0
    )
    tab = Tab(browser, tmp_path, (768, 1024))
    tab.open("p.html")
    tab.press("End")
    tab.wait_for_frame(FIRST + 5)
    shown = tab.canvas()
    assert shown.std() > 10 and tab.wrong == []
    for width, height in ((1600, 1000), (1024, 768), (768, 1024)):
        tab.page.set_viewport_size({"width": width, "height": height})
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, "nothing is cut off"


def test_an_index_sorts_and_filters(browser, shot, tmp_path):
    given = ["--result", shot.output(), "--index", str(tmp_path), "--name", "sh010"]
    assert main(["review", *given]) == 0
    rows = [Row("sh010", "done", 6, 6, 12.0), Row(HOSTILE, "failed", 0, 9, 1.0, f"Plate is gone {HOSTILE}")]
    write_index(tmp_path, "night", rows)
    tab = Tab(browser, tmp_path, (1024, 768))
    tab.open("index.html")
    names = tab.page.locator("tbody th")
    assert names.all_inner_texts() == [HOSTILE, "sh010"], "failures come first"
    assert tab.page.locator("img").count() == 1 and tab.page.evaluate("document.images[0].decode()") is None
    tab.page.click("#heads button:text-is('Shot')")
    tab.page.click("#heads button:text-is('Shot')")
    assert names.all_inner_texts() == ["sh010", HOSTILE]
    tab.page.fill("#find", "gone plate")
    assert names.all_inner_texts() == [HOSTILE]
    tab.page.fill("#find", "")
    tab.page.click("text=1 failed")
    assert names.all_inner_texts() == ["sh010"]
    tab.page.click("tbody a")
    tab.wait_for_frame(FIRST)
    assert tab.wrong == []


def test_a_thousand_frames_are_shown_at_once(browser, shot, tmp_path):
    write_many(data_of(page_folder(shot) / "review.html"), tmp_path)
    tab = Tab(browser, tmp_path)
    paints = []
    for _ in range(3):
        tab.open("review.html")
        paints.append(
            tab.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
        if paints[-1] < 2000:
            break
    assert min(paints) < 2000, paints
    took = tab.page.evaluate(
        """async () => {
            const began = performance.now();
            const slider = document.getElementById("slider");
            for (let frame = 1171; frame <= 1200; frame += 1) {
                slider.value = frame;
                slider.dispatchEvent(new Event("input"));
                await new Promise(requestAnimationFrame);
            }
            return (performance.now() - began) / 30;
        }"""
    )
    tab.wait_for_frame(1200)
    assert took < 250, f"{took:.0f} ms a step"
    assert tab.wrong == []


def write_many(data: dict[str, Any], folder: Path) -> None:
    """A page of a thousand frames of 1280x720, all of which show the same few pictures."""
    frames = list(range(FIRST, FIRST + MANY))
    data |= {"frames": frames, "size": [1280, 720], "shot": "long", "states": ["ok"] * MANY}
    boxes = {"plate": [0, 0, 1280, 720], "result": [400, 200, 800, 500], "matte": [400, 200, 800, 500]}
    ring = [int(4 * (500 + 80 * np.cos(a / 20))) for a in range(160)]
    data |= {"pictures": [boxes] * MANY, "outlines": [[ring]] * MANY, "seconds": [1.0] * MANY}
    for series in (*data["measures"], *data["origins"]):
        series["values"] = [round(0.5 + 0.4 * np.sin(at / 30), 4) for at in range(MANY)]
    (folder / "frames").mkdir()
    rough = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (720, 1280, 3), np.uint8), (0, 0), 2)
    for layer, (x0, y0, x1, y1) in boxes.items():
        made = folder / f"{layer}.webp"
        made.write_bytes(cv2.imencode(".webp", rough[: y1 - y0, : x1 - x0])[1].tobytes())
        for frame in frames:
            os.link(made, folder / "frames" / f"{frame}.{layer}.webp")
    (folder / "review.html").write_text(page_text(data), "utf-8")

"""A real browser without a window, where one can be had: Debian's chromium, driven by Playwright's client."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest


def found_browser() -> str:
    """The browser's path; skips where it, or its client, is not there."""
    pytest.importorskip(
        "playwright.sync_api", reason="Playwright's client is not installed: pip install '.[browser]'"
    )
    path = os.environ.get("CLEANPLATE_TEST_BROWSER") or shutil.which("chromium")
    if not path:
        pytest.skip(
            "There is no chromium here: apt-get install chromium, or name one in CLEANPLATE_TEST_BROWSER."
        )
    return path


@contextmanager
def opened_browser() -> Iterator[Any]:
    path = found_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as client:
        browser = client.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Tab:
    """One page, watched: what it says, what it asks for, what it asks the user."""

    def __init__(self, browser: Any, folder: Path, size: tuple[int, int] = (1280, 800)) -> None:
        self.folder = folder
        self.wrong: list[str] = []
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.on("console", lambda told: self._say(told.type, told.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda one: self.wrong.append(f"failed: {one.url}"))

    def _say(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(text)

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        allowed = (self.folder.as_uri(), "data:", "blob:")
        if not request.url.startswith(allowed):
            self.wrong.append(f"asked for {request.url}")

    def open(self, name: str, mark: str = "") -> None:
        self.page.goto((self.folder / name).as_uri() + mark)
        self.page.wait_for_selector("body[data-ready][data-shown]")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def shown(self) -> int:
        return int(self.page.evaluate("document.body.dataset.shown"))

    def wait_for_frame(self, frame: int) -> None:
        # By a selector: the page's policy lets nobody evaluate a string, tests neither.
        self.page.wait_for_selector(f"body[data-shown='{frame}']")

    def chosen(self, group: str) -> str:
        return self.page.locator(f"#{group} [aria-checked=true]").inner_text()

    def canvas(self) -> np.ndarray:
        """What the canvas shows, (H, W, 3)."""
        data = np.frombuffer(self.page.locator("#canvas").screenshot(), np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(int)

"""Make docs/images/review.jpg: the review page of the sample shot, as `make demo` leaves it, in chromium.

.venv/bin/pip install playwright && .venv/bin/python docs/images/review_picture.py demo_out/review/review.html
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZE = {"width": 1440, "height": 900}
WIPE_AT = 0.36
"""Of the picture's width: through the balloon."""

PICTURE = Path(__file__).with_name("review.jpg")


def main(page_file: Path) -> None:
    """Open the page at a frame in the middle, wiped through the balloon, and write the picture."""
    with sync_playwright() as client:
        browser = client.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(f"{page_file.resolve().as_uri()}#1012/wipe/fit")
        page.wait_for_selector("body[data-ready][data-shown='1012']")
        box = page.locator("#canvas").bounding_box()
        page.mouse.move(box["x"] + WIPE_AT * box["width"], box["y"] + 0.4 * box["height"])
        # Where this machine keeps the sample is of no use to a reader.
        page.evaluate("document.getElementById('result').textContent = 'demo_out/clean.####.exr'")
        page.screenshot(path=PICTURE, type="jpeg", quality=85)
        browser.close()
    print(PICTURE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

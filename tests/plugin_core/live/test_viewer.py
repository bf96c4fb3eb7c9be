"""The viewer: what its server lets through, how marks follow, and the page in a real browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from plugin_core.box import Box, bounds
from plugin_core.job.settings import Settings
from plugin_core.live.marks import MOST, Marks, Shape
from plugin_core.live.meter import Meter
from plugin_core.live.picture import Incoming, Picture
from plugin_core.live.pixel_format import FORMATS, Layout
from plugin_core.live.run import Matte, Output, run_stream
from plugin_core.live.source import Asked
from plugin_core.live.stream import Control, Work
from plugin_core.live.telling import Telling
from plugin_core.live.viewer import Viewer
from plugin_core.progress.stop import Stop

from ..review.browser import opened_browser
from .streams import GREEN, Painter

W, H = 320, 200
SIDE, LEFT, TOP = 48, 40, 60
WHOLE = Shape(kind="box", points=[(LEFT, TOP), (LEFT + SIDE, TOP + SIDE)])


def shot(count: int) -> list[np.ndarray]:
    """A pan over noise, and a square that moves over it, 4 pixels a frame."""
    rng = np.random.default_rng(3)
    behind = cv2.GaussianBlur(rng.integers(0, 256, (H, W + 2 * count, 3), np.uint8), (0, 0), 2)
    behind = cv2.normalize(behind, None, 20, 120, cv2.NORM_MINMAX)
    square = cv2.resize(rng.integers(120, 256, (10, 10, 3), np.uint8), (SIDE, SIDE))
    frames = []
    for number in range(count):
        frame = behind[:, 2 * number : 2 * number + W].copy()
        left = LEFT + 4 * number
        frame[TOP : TOP + SIDE, left : left + SIDE] = square
        frames.append(frame)
    return frames


def incoming(frame: np.ndarray, begins: bool = False) -> Incoming:
    layout = Layout(frame.shape[1], frame.shape[0], FORMATS["rgb24"])
    return Incoming(Picture(layout, frame.reshape(-1)), begins=begins)


def test_marks_follow_what_they_were_laid_on_and_wait_for_it_on_the_next_round():
    frames = shot(20)
    control = Control()
    marks = Marks(None, control)
    assert not marks.of(incoming(frames[0]), frames[0]).any()
    assert marks.draw(Shape(kind="box", points=[(LEFT + 4, TOP), (LEFT + 4 + SIDE, TOP + SIDE)]))
    for number, frame in enumerate(frames[1:], 1):
        box = bounds(marks.of(incoming(frame), frame))
        there = Box(LEFT + 4 * number, TOP, LEFT + 4 * number + SIDE, TOP + SIDE)
        assert box is not None and max(abs(a - b) for a, b in zip(box, there, strict=True)) <= 3, number
    assert marks.state == (1, 0, 0) and control.takes == 1, "the object had been taken for background"
    assert not marks.of(incoming(frames[0], begins=True), frames[0]).any(), "before it was drawn"
    assert marks.state == (1, 0, 1)
    held = incoming(frames[1])
    first = marks.of(held, frames[1])
    assert bounds(first) == Box(LEFT + 4, TOP, LEFT + 4 + SIDE, TOP + SIDE)
    assert control.takes == 2
    marks.draw(Shape(kind="brush", points=[(200.0, 20.0), (240.0, 20.0)], radius=5.0))
    both = marks.of(held, frames[1])
    assert both[first].all() and both[16:24, 200:240].all() and not both[30:, 200:].any()
    flat = np.full_like(frames[2], 90)
    kept = marks.of(incoming(flat), flat)
    assert marks.state == (2, 2, 0) and np.array_equal(kept, both), "what is lost stays"
    marks.undo()
    assert marks.state == (1, 1, 0)
    marks.clear()
    assert not marks.of(incoming(frames[3]), frames[3]).any() and marks.state == (0, 0, 0)


def test_a_frame_that_is_given_again_takes_no_further_matte():
    class Counted:
        asked = 0

        def of(self, frame, rgb):
            self.asked += 1
            return np.full(rgb.shape[:2], self.asked == 1)

    base, frame = Counted(), shot(1)[0]
    marks, held = Marks(base, Control()), incoming(frame)
    assert marks.of(held, frame).all() and marks.of(held, frame).all() and base.asked == 1
    assert not marks.of(incoming(frame), frame).any() and base.asked == 2


class Page:
    """A viewer without a stream, and what is asked of it by hand."""

    def __init__(self) -> None:
        self.control, self.meter = Control(), Meter()
        self.marks = Marks(None, self.control)
        self.viewer = Viewer(0, self.marks, self.control, self.meter)

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> tuple[int, bytes, Any]:
        connection = HTTPConnection("127.0.0.1", self.viewer.port, timeout=20)
        sent = {"Host": f"127.0.0.1:{self.viewer.port}", "Content-Type": "application/json"}
        sent["Origin"] = f"http://{sent['Host']}"
        for name, value in headers.items():
            sent[name.replace("_", "-")] = value
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.putrequest(method, path, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if method == "POST":
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data if method == "POST" else None)
        answer = connection.getresponse()
        taken = answer.status, answer.read(), answer.headers
        connection.close()
        return taken

    def below(self, path: str) -> str:
        return f"/{self.viewer.token}/{path}"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.viewer.close()


def test_the_server_answers_this_page_alone(page):
    status, text, headers = page.ask("GET", page.below(""))
    assert status == 200 and b"<canvas" in text and "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "cleanplate"
    assert b"http" not in text and b"//" not in text.replace(b"</", b""), "nothing from elsewhere"
    for path in ("/", "/live.js", "/guess/", f"/{page.viewer.token}", f"/x{page.viewer.token}/"):
        assert page.ask("GET", path)[0] == 404, path
    for path in ("../viewer.py", "..%2fviewer.py", "static/live.js", "ask"):
        assert page.ask("GET", page.below(path))[0] == 404, path
    for host in ("evil.example", f"evil.example:{page.viewer.port}", "127.0.0.1", None):
        assert page.ask("GET", page.below(""), Host=host)[0] == 421, host
    assert page.ask("GET", page.below("live.js"), Host=f"localhost:{page.viewer.port}")[0] == 200
    pause = {"pause": True}
    assert page.ask("POST", page.below("ask"), pause, Origin="http://evil.example")[0] == 403
    assert page.ask("POST", page.below("ask"), pause, Origin=None)[0] == 403
    assert page.ask("POST", page.below("ask"), pause, Content_Type="text/plain")[0] == 403
    assert page.ask("POST", "/guess/ask", pause)[0] == 404
    assert not page.control.paused
    assert page.ask("POST", page.below("ask"), pause)[0] == 204 and page.control.paused
    for bad in (b"{", {"pause": 1}, {"what": 1}, {"mark": {"kind": "box", "points": []}}, [1]):
        assert page.ask("POST", page.below("ask"), bad)[0] == 400, bad
    hostile = {"mark": {"kind": "brush", "points": [[1e300, -1e300]], "radius": 1024}}
    assert page.ask("POST", page.below("ask"), hostile)[0] == 204
    assert page.ask("POST", page.below("ask"), bytes(1 << 19))[0] == 413
    for _ in range(MOST - 1):
        page.ask("POST", page.below("ask"), hostile)
    status, why, _ = page.ask("POST", page.below("ask"), hostile)
    assert status == 409 and b"as many marks" in why
    frame = shot(1)[0]
    assert not page.marks.of(incoming(frame), frame).any(), "what is far outside is nowhere"
    assert page.ask("POST", page.below("ask"), {"clear": True})[0] == 204 and page.marks.state == (0, 0, 0)


def test_frames_come_as_plate_over_result(page):
    assert page.ask("GET", page.below("frame?after=-1"))[0] == 204
    frame, fill = shot(1)[0], np.full((H, W, 3), GREEN, np.uint8)
    hole = np.zeros((H, W), bool)
    page.viewer.write(Work(incoming(frame), frame, hole, 7, 0.0, 0), fill, 0)
    status, data, headers = page.ask("GET", page.below("frame?after=6"))
    told = json.loads(headers["X-Live"])
    assert status == 200 and (told["number"], told["width"], told["height"]) == (7, W, H)
    both = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert both.shape == (2 * H, W, 3)
    assert np.abs(both[:H].astype(int) - frame).mean() < 8 and np.abs(both[H:].astype(int) - fill).mean() < 8
    assert page.ask("GET", page.below("frame?after=7"))[0] == 204
    assert page.ask("GET", page.below("frame?after=x"))[0] == 200


@contextmanager
def running(movie: Path) -> Iterator[tuple[str, Stop]]:
    """A stream with a viewer, in a thread."""
    stop, addresses, ready = Stop(), [], threading.Event()

    def shown(address: str) -> None:
        addresses.append(address)
        ready.set()

    def run() -> None:
        asked = Asked(str(movie), loop=True)
        telling = Telling("none", Meter(), "painter", "cpu")
        output = Output(pipe=None, viewer=0)
        with pytest.raises(Exception, match="Stopped"):
            run_stream(asked, Matte(), output, Painter, telling, Settings(), stop, realtime=True, show=shown)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    yield addresses[0], stop
    stop.request()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.installed
def test_the_page_in_a_browser(tmp_path):
    movie = tmp_path / "plate.mkv"
    with av.open(str(movie), "w") as written:
        stream = written.add_stream("ffv1", rate=20, width=W, height=H, pix_fmt="bgr0")
        for frame in shot(30):
            written.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        written.mux(stream.encode())
    with opened_browser() as browser, running(movie) as (address, stop):
        page = browser.new_page(viewport={"width": 900, "height": 620})
        wrong: list[str] = []
        page.on(
            "console", lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda one: None if one.url.startswith(address) else wrong.append(one.url))
        page.goto(address)
        page.wait_for_selector("body[data-shown]")

        def picture() -> np.ndarray:
            data = np.frombuffer(page.locator("#canvas").screenshot(), np.uint8)
            return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(int)

        def green() -> np.ndarray:
            return np.abs(picture() - GREEN).max(axis=2) < 30

        page.keyboard.press("1")
        assert page.get_attribute("[data-view=result]", "aria-pressed") == "true"
        page.keyboard.press(" ")
        page.wait_for_selector("body[data-paused=true]")
        assert not green().any()
        box = page.locator("#canvas").bounding_box()
        share = box["width"] / W
        page.mouse.move(box["x"] + 100 * share, box["y"] + 40 * share)
        page.mouse.down()
        page.mouse.move(box["x"] + 180 * share, box["y"] + 140 * share, steps=3)
        page.mouse.up()
        page.wait_for_selector("body[data-marks='1'][data-paused=true]")
        page.wait_for_function(
            "document.getElementById('canvas').getContext('2d').getImageData(140, 90, 1, 1).data[1] > 150"
        )
        found = bounds(green())
        wanted = [round(side * share) for side in (100, 40, 180, 140)]
        assert found is not None and max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 6
        page.keyboard.press("2")
        assert not green().any(), "the plate"
        page.keyboard.press("3")
        page.locator("#wipe").fill("437")
        half = bounds(green())
        assert half is not None and abs(half.x0 - 140 * share) <= 6 and abs(half.x1 - 180 * share) <= 6
        page.click("[data-tool=brush]")
        page.mouse.move(box["x"] + 250 * share, box["y"] + 20 * share)
        page.mouse.down()
        page.mouse.move(box["x"] + 290 * share, box["y"] + 20 * share, steps=3)
        page.mouse.up()
        page.wait_for_selector("body[data-marks='2']")
        page.click("#undo")
        page.wait_for_selector("body[data-marks='1']")
        page.click("#pause")
        page.wait_for_selector("body[data-paused=false]")
        shown = page.get_attribute("body", "data-shown")
        page.wait_for_selector(f"body:not([data-shown='{shown}'])")
        assert " fps · latency " in page.inner_text("#figures") and "1 mark" in page.inner_text("#figures")
        page.click("#clear")
        page.wait_for_selector("body[data-marks='0']")
        stop.request()
        page.wait_for_selector("body[data-ended]")
        assert page.inner_text("#message") == "The stream has ended."
        assert [one for one in wrong if "ERR_CONNECTION" not in one] == []

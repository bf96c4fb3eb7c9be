"""A page to look at a stream while it runs, and to mark what goes away: served to this machine alone.

Whoever asks must know the token in the address, ask for this very host (a page elsewhere whose name is made
to point here asks for another), and, to change anything, come from this page.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import InputError
from .marks import Marks, Shape
from .meter import Meter
from .stream import Control, Work

_HOST = "127.0.0.1"
_LONGEST = 960
"""Pixels of the longer side that is shown."""

_QUALITY = 80
_WAIT_SECONDS = 1.0
_MOST_BYTES = 1 << 18
_STATIC = Path(__file__).resolve().parent / "static"
_PAGES = {
    "": ("live.html", "text/html; charset=utf-8"),
    "live.js": ("live.js", "text/javascript; charset=utf-8"),
    "live.css": ("live.css", "text/css; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Ask(BaseModel):
    """What the page asks for; what is not given stays.

    Attributes:
        pause: whether the stream pauses.
        mark: is laid on the frame that is shown.
        undo: takes the last mark away.
        clear: takes all away.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    pause: bool | None = None
    mark: Shape | None = None
    undo: bool = False
    clear: bool = False


@dataclass(frozen=True)
class _Shown:
    number: int
    rgb: NDArray[np.uint8]
    fill: NDArray[np.uint8]
    hole: NDArray[np.bool_]


class Viewer:
    """The page's server, and the sink that its pictures come by.

    Args:
        port: to serve at; 0 for any that is free.
        marks: what is drawn goes to.
        control: of the stream.
        meter: of the stream.

    Raises:
        InputError: the port can't be had.
    """

    def __init__(self, port: int, marks: Marks, control: Control, meter: Meter) -> None:
        self._marks = marks
        self.control = control
        self._meter = meter
        self._come = threading.Condition()
        self._shown: _Shown | None = None
        self._encoded: tuple[int, bytes] = (-1, b"")
        self._encoding = threading.Lock()
        self.ended = False
        self.token = secrets.token_urlsafe(18)
        try:
            self._server = _Server((_HOST, port), self)
        except OSError as error:
            raise InputError(
                f"Port {port} can't be had: {error.strerror}; give another to --viewer."
            ) from None
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="viewer", daemon=True).start()

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{_HOST}:{self.port}/{self.token}/"

    def write(self, work: Work, fill: NDArray[np.uint8], missed: int) -> None:
        """Show a frame from now on."""
        with self._come:
            self._shown = _Shown(work.number, work.rgb, fill, work.hole)
            self._come.notify_all()

    def close(self) -> None:
        """Serve no more."""
        with self._come:
            self.ended = True
            self._come.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def frame_after(self, number: int) -> tuple[bytes, dict[str, Any]]:
        """Wait for a later frame than this one, a second at most.

        Returns:
            A JPEG of plate over result, empty where none came; and what the page says of the stream.
        """
        with self._come:
            self._come.wait_for(lambda: self.ended or self._is_after(number), _WAIT_SECONDS)
            shown = self._shown if self._is_after(number) else None
        pace = self._meter.pace()
        marks, lost, waiting = self._marks.state
        told = {
            "fps": round(pace.fps, 1),
            "latency": round(pace.latency),
            "dropped": pace.dropped,
            "paused": self.control.paused,
            "marks": marks,
            "lost": lost,
            "waiting": waiting,
            "ended": self.ended,
        }
        if shown is None:
            return b"", told
        height, width = shown.rgb.shape[:2]
        return self._jpeg(shown), {**told, "number": shown.number, "width": width, "height": height}

    def ask(self, ask: Ask) -> str:
        """Do what the page asks for; returns why not, or nothing."""
        if ask.clear:
            self._marks.clear()
        if ask.undo:
            self._marks.undo()
        if ask.mark is not None and not self._marks.draw(ask.mark):
            return "There are as many marks as can be followed; clear some."
        if ask.pause is not None:
            self.control.paused = ask.pause
        self.control.again()
        return ""

    def _is_after(self, number: int) -> bool:
        return self._shown is not None and self._shown.number > number

    def _jpeg(self, shown: _Shown) -> bytes:
        with self._encoding:
            if self._encoded[0] != shown.number:
                self._encoded = shown.number, _encoded(shown)
            return self._encoded[1]


def _encoded(shown: _Shown) -> bytes:
    """Plate over result, in one picture, so that both are of the same frame."""
    height, width = shown.rgb.shape[:2]
    share = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    halves = [shown.rgb, shown.fill]
    if share < 1:
        halves = [
            np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_AREA), np.uint8) for half in halves
        ]
    both = np.concatenate(halves)
    hole = cv2.resize(shown.hole.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(hole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(both[: size[1]], outlines, -1, (255, 190, 60), 1)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(both, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return bytes(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, address: tuple[str, int], viewer: Viewer) -> None:
        self.viewer = viewer
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking anybody what this machine is called, which may take seconds."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes away in the middle is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        """Give the page, what it is made of, or the next frame."""
        path = self._allowed()
        if path is None:
            return
        if path == "frame":
            self._frame()
        elif path in _PAGES:
            name, kind = _PAGES[path]
            self._answer(HTTPStatus.OK, (_STATIC / name).read_bytes(), {"Content-Type": kind})
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Take what the page asks for."""
        path = self._allowed()
        if path is None:
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or int(length) > _MOST_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
            return
        body = self.rfile.read(int(length))
        viewer = self.server.viewer
        origin = self.headers.get("Origin")
        own = {f"http://{host}" for host in self._hosts()}
        if path != "ask" or origin not in own or self.headers.get("Content-Type") != "application/json":
            self._answer(HTTPStatus.FORBIDDEN)
            return
        try:
            why_not = viewer.ask(Ask.model_validate_json(body))
        except ValidationError as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error.errors()[0]["msg"]).encode())
            return
        self._answer(HTTPStatus.CONFLICT if why_not else HTTPStatus.NO_CONTENT, why_not.encode())

    def _frame(self) -> None:
        asked = parse_qs(urlsplit(self.path).query).get("after", ["-1"])[0]
        after = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 16 else -1
        picture, told = self.server.viewer.frame_after(after)
        headers = {"X-Live": json.dumps(told)}
        if picture:
            self._answer(HTTPStatus.OK, picture, {**headers, "Content-Type": "image/jpeg"})
        else:
            self._answer(HTTPStatus.NO_CONTENT, headers=headers)

    def _allowed(self) -> str | None:
        """What is asked for below the token; None, answered, where nothing may be."""
        viewer = self.server.viewer
        if self.headers.get("Host") not in self._hosts():
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, close=True)
            return None
        token, slash, asked = urlsplit(self.path).path.removeprefix("/").partition("/")
        if not (slash and secrets.compare_digest(token.encode(), viewer.token.encode())):
            self._answer(HTTPStatus.NOT_FOUND, close=True)
            return None
        return asked

    def _hosts(self) -> set[str]:
        return {f"{host}:{self.server.viewer.port}" for host in (_HOST, "localhost")}

    def _answer(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        close: bool = False,
    ) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {**_HEADERS, **(headers or {})}.items():
                self.send_header(name, value)
            if status != HTTPStatus.NO_CONTENT:
                self.send_header("Content-Length", str(len(body)))
            if close:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if status != HTTPStatus.NO_CONTENT:
                self.wfile.write(body)

    def version_string(self) -> str:
        """Say what serves, and no more."""
        return "cleanplate"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on standard error."""

"""Writes plate and mattes for the core with Nuke's own Writes, and leaves unchanged files as they are.

The core tells by a file whether it has changed. Nuke is therefore let write beside the files that are there,
and only what differs takes their place.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Iterator

import nuke

from . import exr, places
from .group import WRITE, inner
from .problem import Cancelled, InpaintError
from .request import Request

_STAGING = "new"


def export(node: nuke.Node, request: Request, view: str, first: int) -> None:
    """Write one view's plate and mattes from frame `first` on.

    Frames of an earlier range are removed: the core looks at every frame it finds.

    Raises:
        Cancelled: the user stopped Nuke's render.
        InpaintError: Nuke could not render, or the disk is full. What was there before is still there.
    """
    exports = [_Export(node, request, view, kind, first) for kind in request.kinds]
    try:
        with whole_frames():
            for each in exports:
                each.write()
        # Only now: a matte that can't be written must not leave a new plate beside an old matte.
        for each in exports:
            each.adopt()
    finally:
        for each in exports:
            each.clean_up()


@contextlib.contextmanager
def whole_frames() -> Iterator[None]:
    """Turn proxy mode off for a while."""
    proxy = nuke.root()["proxy"]
    was = proxy.value()
    try:
        if was:
            proxy.setValue(False)
        yield
    finally:
        if was:
            proxy.setValue(True)


class _Export:
    """One of the sequences of one view."""

    def __init__(self, node: nuke.Node, request: Request, view: str, kind: str, first: int) -> None:
        self._node = node
        self._request = request
        self._view = view
        self._kind = kind
        self._first = first
        self._pattern = places.input_pattern(places.in_view(request.folder, view), kind)
        self._folder = Path(self._pattern).parent
        self._staging = self._folder / _STAGING
        self.clean_up()

    def write(self) -> None:
        """Let Nuke write the frames beside the ones that are there."""
        is_plate = self._kind == "plate"
        write = inner(self._node, WRITE)
        write.setInput(0, inner(self._node, self._kind))
        values = {
            "channels": "all" if is_plate else self._request.matte_channel,
            "datatype": "32 bit float" if is_plate and self._request.exact else "16 bit half",
            "compression": "Zip (1 scanline)",
            "metadata": "default metadata",
            "raw": True,
            "autocrop": False,
            "create_directories": True,
        }
        for name, value in values.items():
            write[name].setValue(value)
        self._execute(write, self._first, self._request.last)

    def adopt(self) -> None:
        """Put what differs in the place of what was there, and remove frames outside the range."""
        try:
            for frame in self._request.frames:
                new, old = self._new(frame), places.at_frame(self._pattern, frame)
                if new.exists() and not exr.same_picture(new, old):
                    new.replace(old)
            wanted = {places.at_frame(self._pattern, frame).name for frame in self._request.frames}
            for path in self._folder.glob(self._kind + ".*.exr"):
                if path.name not in wanted:
                    path.unlink()
        except OSError as error:
            raise InpaintError(f"Can't write to {self._folder}: {error.strerror or error}.") from error

    def clean_up(self) -> None:
        """Remove what was written and not adopted."""
        shutil.rmtree(str(self._staging), ignore_errors=True)

    def _execute(self, write: nuke.Node, first: int, last: int) -> None:
        staged = places.input_pattern(self._request.folder, self._kind)
        folder, name = staged.rsplit("/", 1)
        write["file"].setValue(f"{folder}/{_STAGING}/{name}")
        try:
            execute(write, first, last, [self._view], self._request.name, self._kind)
        finally:
            write.setInput(0, inner(self._node, "plate"))
        missing = [frame for frame in range(first, last + 1) if not self._new(frame).exists()]
        if missing:
            raise InpaintError(
                f"{self._request.name}: Nuke wrote no {self._kind} for frame {missing[0]}; is the input "
                "there for every frame?"
            )

    def _new(self, frame: int) -> Path:
        path = places.at_frame(self._pattern, frame)
        return path.parent / _STAGING / path.name


def execute(write: nuke.Node, first: int, last: int, views: list[str], name: str, what: str) -> None:
    """Let a Write that is off write its file, and switch it off again.

    Where it fails, `name` and `what` are said: whose, and of which pictures.

    Raises:
        Cancelled: the user stopped Nuke's render.
        InpaintError: Nuke could not render, or the disk is full.
    """
    write["disable"].setValue(False)
    try:
        nuke.execute(write, first, last, 1, views)
    except Exception as error:
        # Nuke says so by a RuntimeError; from version 15 on there is a class of its own for it too.
        if type(error).__name__ == "CancelledError" or str(error).startswith("Cancelled"):
            raise Cancelled(f"{name}: stopped while writing the {what}.") from None
        raise InpaintError(f"{name}: Nuke could not write the {what}: {error}") from error
    finally:
        write["disable"].setValue(True)


def frames_on_disk(request: Request, view: str) -> dict[str, list[int]]:
    """Return which frames of plate, mattes and clean plate (`result`) are on disk."""
    folder = places.in_view(request.folder, view)
    patterns = {kind: places.input_pattern(folder, kind) for kind in request.kinds}
    patterns["result"] = places.result_pattern(folder)
    return {
        kind: [frame for frame in request.frames if places.at_frame(pattern, frame).is_file()]
        for kind, pattern in patterns.items()
    }

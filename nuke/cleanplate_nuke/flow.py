"""Rendering a node: check, write plate and matte, let the core fill, load the result.

With a window the core runs in a thread beside Nuke; in ``nuke -t`` all of it is done before `render` returns,
and whatever fails is raised. With a window the comp shows frames as they come, at the end the result.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from typing import Callable

import nuke

from . import beside, order, result
from .export import export, frames_on_disk, whole_frames
from .group import check_unlocked, convert
from .problem import Cancelled, InpaintError
from .progress import open_progress
from .request import Request, read_request, write_job
from .work import fill

_running: dict[str, Rendering] = {}

PREVIEW_SECONDS = 2.0
"""Time between two looks at the files of a render that goes on: each has Nuke read them again."""


class Rendering:
    """One render of one node.

    Args:
        node: the node.
        request: what it asks for.

    Attributes:
        error: what ended it, None for nothing.
        then: called in the main thread once the result is loaded.
        landed: the last frame that was written, None before the first.
    """

    def __init__(self, node: nuke.Node, request: Request) -> None:
        self.node = node
        self.request = request
        self.error: BaseException | None = None
        self.then: Callable[[], None] = lambda: None
        self.landed: int | None = None
        self._previewed = 0.0
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    def cancel(self) -> None:
        """Stop with the state saved."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._cancelled.is_set()

    def start(self) -> None:
        """Fill in a thread."""
        self._thread = threading.Thread(
            target=self._run_aside, name="cleanplate " + self.request.name, daemon=True
        )
        self._thread.start()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the thread; what it asks of Nuke's main thread still has to be done there."""
        if self._thread is not None:
            self._thread.join(seconds)

    def run(self, tell: Callable[[str], None]) -> list[str]:
        """Fill every view and return what was done, a sentence each. Raises InpaintError."""
        with open_progress(self.request.name) as progress:
            return [
                fill(
                    self.request,
                    view,
                    progress,
                    tell,
                    lambda: self.is_cancelled() or progress.is_cancelled(),
                    self._landed,
                )
                for view in self.request.views
            ]

    def _landed(self, frame: int) -> None:
        """Have the comp show a frame that has just been written, with a window and not too often."""
        self.landed = frame
        if nuke.GUI and time.monotonic() - self._previewed > PREVIEW_SECONDS:
            self._previewed = time.monotonic()
            nuke.executeInMainThread(_preview, (self, frame))

    def _run_aside(self) -> None:
        done: list[str] = []
        try:
            done = self.run(self._tell_aside)
        except BaseException as error:
            self.error = error
        nuke.executeInMainThread(_finish, (self, done))

    def _tell_aside(self, text: str) -> None:
        nuke.executeInMainThread(_tell, (self, text))


def render(node: nuke.Node, from_frame: int | None = None) -> Rendering | None:
    """Render a node; only what is new or has changed is filled.

    Args:
        node: a VINet Inpaint node.
        from_frame: plate and matte before it are taken to be as they were; None writes all of them.

    Returns:
        With a window the render that goes on in the background, else None.

    Raises:
        InpaintError: it can't be rendered; with a window only what shows before the core starts.
    """
    if _rendering_of(node) is not None:
        raise InpaintError(f"{node.fullName()} is rendering already; press Cancel first.")
    if nuke.executing():
        raise InpaintError("Nuke is rendering something else; wait for it, then press Render again.")
    check_unlocked(node)
    convert(node)
    request = read_request(node)
    check_upstream(node)
    prepare(node, request, from_frame)
    rendering = Rendering(node, request)
    _running[request.name] = rendering
    if nuke.GUI:
        rendering.start()
        return rendering
    try:
        done = rendering.run(lambda text: result.tell(node, text))
        result.load(node, request, done)
    finally:
        del _running[request.name]
    return None


def render_all(names: list[str] | None = None, tell: Callable[[str], None] = print) -> list[str]:
    """Render every inpaint node of the script, each after those whose result it needs.

    Args:
        names: full names of the only nodes wanted; what they need is rendered too.
        tell: told which node comes next.

    Returns:
        The full names of the nodes in the order they were rendered.

    Raises InpaintError when there is no such node, or at the first that fails.
    """
    nodes = order.all_inpaints()
    if names:
        known = {node.fullName(): node for node in nodes}
        missing = [name for name in names if name not in known]
        if missing:
            raise InpaintError(
                "The script has no inpaint node '{}'; it has {}.".format(
                    missing[0], ", ".join(known) or "none"
                )
            )
        wanted = set(names)
        for name in names:
            wanted.update(node.fullName() for node in order.upstream_inpaints(known[name]))
        nodes = [node for node in nodes if node.fullName() in wanted]
    for node in nodes:
        tell(f"Cleanplate: {node.fullName()}")
        render(node)
    return [node.fullName() for node in nodes]


def render_in_turn(nodes: list[nuke.Node], failed: Callable[[nuke.Node, Exception], None]) -> None:
    """Render nodes one after the other, each in the background; with a window. What fails ends it.

    Args:
        nodes: each after those whose result it needs.
        failed: told of one that could not be begun.
    """
    if not nodes:
        return
    node, rest = nodes[0], nodes[1:]
    try:
        rendering = render(node)
    except InpaintError as error:
        failed(node, error)
        return
    if rendering is not None:
        rendering.then = lambda: render_in_turn(rest, failed)


def cancel(node: nuke.Node) -> bool:
    """Stop a node's render; returns whether one was running."""
    rendering = _rendering_of(node)
    if rendering is None:
        return False
    rendering.cancel()
    return True


def is_rendering(node: nuke.Node) -> bool:
    """Whether the core is filling a node."""
    return _rendering_of(node) is not None


def _rendering_of(node: nuke.Node) -> Rendering | None:
    """Return a node's render, also when the node has got another name since."""
    for rendering in _running.values():
        with contextlib.suppress(ValueError):  # a node that was deleted meanwhile
            if rendering.node.fullName() == node.fullName():
                return rendering
    return None


def prepare(node: nuke.Node, request: Request, from_frame: int | None) -> None:
    """Write plate, matte, painted frames and job.json of every view. Raises InpaintError."""
    with whole_frames():
        beside.write_painted(node, request)
    for view in request.views:
        export(node, request, view, _first_to_write(request, view, from_frame))
        write_job(request, view)


def _first_to_write(request: Request, view: str, from_frame: int | None) -> int:
    """Return `from_frame` where everything before it is on disk, else the first frame."""
    if from_frame is None or from_frame not in request.frames:
        return request.first
    there = frames_on_disk(request, view)
    before = set(range(request.first, from_frame))
    return from_frame if all(before <= set(there[kind]) for kind in request.kinds) else request.first


def check_upstream(node: nuke.Node) -> None:
    """Refuse a node that would be filled from something unfinished. Raises InpaintError."""
    for other in order.upstream_inpaints(node):
        if other["show"].value() != "result":
            raise InpaintError(
                "{} shows '{}'; set it to 'result', {} is filled from what comes out of it.".format(
                    other.fullName(), other["show"].value(), node.fullName()
                )
            )
        if _rendering_of(other) is not None:
            raise InpaintError(
                f"{node.fullName()} needs {other.fullName()}, which is rendering; wait for it."
            )
        if not other["has_result"].value() or not other["rendered_with"].value():
            raise InpaintError(
                f"{node.fullName()} needs {other.fullName()}, which is not rendered yet; render it first."
            )


def _tell(rendering: Rendering, text: str) -> None:
    with contextlib.suppress(ValueError):  # the node was deleted meanwhile
        result.tell(rendering.node, text)


def _preview(rendering: Rendering, frame: int) -> None:
    with contextlib.suppress(ValueError):
        result.preview(rendering.node, rendering.request, frame)


def _finish(rendering: Rendering, done: list[str]) -> None:
    """Load the result or say what went wrong; in Nuke's main thread."""
    _running.pop(rendering.request.name, None)
    node, error = rendering.node, rendering.error
    try:
        if error is not None and rendering.landed is not None:
            result.preview(node, rendering.request, rendering.landed)
        if error is None:
            result.load(node, rendering.request, done)
            rendering.then()
        elif isinstance(error, Cancelled):
            result.tell(node, f"Cancelled. {error}")
        else:
            result.tell(node, f"Failed: {error}")
            nuke.message(f"{rendering.request.name}\n\n{error}")
    except ValueError:
        # The node was deleted meanwhile; its files stay.
        nuke.tprint(
            f"Cleanplate: {rendering.request.name} is gone; its clean plate is in {rendering.request.folder}"
        )


@atexit.register
def _stop_all() -> None:
    """Nuke is being closed: let the core stop after its frame, with its state saved."""
    for rendering in list(_running.values()):
        rendering.cancel()
        for view in rendering.request.views:
            job = rendering.request.job_folder(view)
            if job.is_dir():
                rendering.request.cancel_file(view).touch()

"""What the node's buttons do. Whatever goes wrong is shown as one message; nothing is raised into Nuke."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Callable

import nuke

from . import beside, checking, flow, places, result, reviewing
from . import farm as _farm
from .problem import Cancelled, InpaintError

HELP = """VINet Inpaint fills the matted part of a plate.

1. Connect the plate, and a matte that is white where something has to go.
2. Set grow to a few pixels, so that motion blur and soft edges go too, and feather to hide the seam.
3. Press Render. Plate and matte are written to disk, filled there, and the clean plate is loaded.

Change the matte and press Render again: only the frames that the change touches are filled again, and the
status line says which and why. Pixels outside the grown and feathered matte are the plate's own."""


def _button(action: Callable[[nuke.Node], None]) -> Callable[[nuke.Node], None]:
    @functools.wraps(action)
    def pressed(node: nuke.Node) -> None:
        try:
            action(node)
        except Cancelled as error:
            result.tell(node, f"Cancelled. {error}")
        except InpaintError as error:
            result.tell(node, f"Failed: {error}")
            nuke.message(str(error))
        except Exception as error:
            traceback.print_exc()
            result.tell(node, f"Failed: {error}")
            nuke.message(
                f"Cleanplate: {type(error).__name__}: {error}\nThis is a fault of ours; the lines "
                "printed in the terminal help to find it."
            )

    return pressed


@_button
def render(node: nuke.Node) -> None:
    """Fill what is new or has changed."""
    flow.render(node)


@_button
def update(node: nuke.Node) -> None:
    """Fill what has changed from the current frame on."""
    flow.render(node, from_frame=nuke.frame())


@_button
def cancel(node: nuke.Node) -> None:
    """Stop the node's render."""
    if flow.cancel(node):
        result.tell(node, "Stopping...")
    else:
        result.tell(node, "Nothing is rendering.")


@_button
def reveal(node: nuke.Node) -> None:
    """Open the folder that holds the clean plate."""
    chosen = str(node["view"].value())
    view = chosen if chosen in nuke.views() else nuke.views()[0]
    folder = Path(places.in_view(places.version_folder(node), view))
    if not folder.is_dir():
        raise InpaintError(f"{folder} is not there yet; press Render first.")
    if sys.platform == "win32":
        os.startfile(str(folder))
    else:
        subprocess.Popen(["open" if sys.platform == "darwin" else "xdg-open", str(folder)])


@_button
def review(node: nuke.Node) -> None:
    """Make the review page of the clean plate, and open it."""
    reviewing.begin(node)


@_button
def check(node: nuke.Node) -> None:
    """Hold the clean plate against the plate, and say what was found."""
    checking.begin(node)


@_button
def go_to_frame(node: nuke.Node) -> None:
    """Go to the frame that the status names."""
    checking.go_to_frame(node)


@_button
def paint_reference(node: nuke.Node) -> None:
    """Make a reference of the current frame: nodes to paint it with."""
    frame = nuke.frame()
    write = beside.paint_reference(node, frame)
    result.tell(node, f"Paint frame {frame} above {write.name()}, then press Render.")


@_button
def patch_in_comp(node: nuke.Node) -> None:
    """Make nodes that lay the patch over the plate."""
    merge = beside.patch_in_comp(node)
    result.tell(node, f"{merge.name()} lays the patch over the plate.")


@_button
def send_to_farm(node: nuke.Node) -> None:
    """Write a farm job that fills the node."""
    told = _farm.send(node, str(node["engine"].value()), bool(node["submit"].value()))
    result.tell(node, told.splitlines()[0])
    nuke.message(told)


@_button
def explain(node: nuke.Node) -> None:
    """Say what the node does."""
    nuke.message(HELP)

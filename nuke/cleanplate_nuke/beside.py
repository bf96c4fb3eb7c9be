"""Nodes made beside ours, for an artist to go on with: a reference to paint, and the patch in the comp."""

from __future__ import annotations

import nuke

from . import places
from .knobs import PLATE_INPUT
from .problem import InpaintError
from .request import read_request


def paint_reference(node: nuke.Node, frame: int) -> nuke.Node:
    """Make a RotoPaint on the clean plate's frame, and a Write that keeps it; returns the Write.

    Raises InpaintError when there is no clean plate of that frame.
    """
    request = read_request(node)
    view = request.views[0]
    clean = places.at_frame(places.result_pattern(places.in_view(request.folder, view)), frame)
    if not clean.is_file():
        raise InpaintError(f"{request.name} has no clean plate of frame {frame}; press Render first.")
    given = request.beyond.reference
    if not given:
        node["reference"].setValue(places.reference_folder(request.folder))
    elif "." in given.rpartition("/")[2]:
        raise InpaintError(
            f"{request.name}: 'reference frames' names files, {given}; name a folder, or nothing."
        )
    folder = given or places.reference_folder(request.folder)
    where = node.parent()
    assert isinstance(where, nuke.Group)
    with where:
        read = _read(places.result_pattern(request.folder), frame, frame)
        paint = nuke.nodes.RotoPaint()
        write = nuke.nodes.Write()
    paint.setInput(0, read)
    write.setInput(0, paint)
    write["file"].setValue(folder + "/ref.%04d.exr")
    write["file_type"].setValue("exr")
    # Without an alpha the whole picture is a clean plate, and what differs from the plate counts.
    for name, value in (("channels", "rgb"), ("datatype", "32 bit float"), ("raw", True)):
        write[name].setValue(value)
    write["create_directories"].setValue(True)
    for row, made in enumerate((read, paint, write)):
        made.setXYpos(node.xpos() + 160, node.ypos() + 60 * row)
    paint.showControlPanel()
    return write


def patch_in_comp(node: nuke.Node) -> nuke.Node:
    """Make a Read of the patch, merged over the plate; returns the Merge.

    Raises InpaintError when no patch was rendered.
    """
    request = read_request(node)
    pattern = places.patch_pattern(request.folder)
    first = places.at_frame(places.in_view(pattern, request.views[0]), request.first)
    if not first.is_file():
        raise InpaintError(f"{request.name} has no patch yet; switch 'patch' on and press Render.")
    where = node.parent()
    assert isinstance(where, nuke.Group)
    with where:
        read = _read(pattern, request.first, request.last)
        merge = nuke.nodes.Merge2()
    merge["operation"].setValue("over")
    merge.setInput(0, node.input(PLATE_INPUT))
    merge.setInput(1, read)
    for row, made in enumerate((read, merge)):
        made.setXYpos(node.xpos() + 160, node.ypos() + 80 * row)
    return merge


def _read(pattern: str, first: int, last: int) -> nuke.Node:
    """Make a Read of what the core has written: in the script's working space."""
    read = nuke.nodes.Read()
    read["file"].setValue(pattern)
    for name, value in (("first", first), ("last", last), ("origfirst", first), ("origlast", last)):
        read[name].setValue(value)
    read["raw"].setValue(True)
    return read

"""Nodes made beside ours, for an artist to go on with: a reference to paint, and the patch in the comp."""

from __future__ import annotations

import shutil
from pathlib import Path

import nuke

from . import export, exr, places
from .group import every_inpaint
from .knobs import PLATE_INPUT
from .problem import InpaintError
from .request import Request, folder_or_none, read_request

_PAINTED = "cleanplate_frame"


def paint_reference(node: nuke.Node, frame: int) -> nuke.Node:
    """Make a RotoPaint on the clean plate's frame, and a Write that keeps it; returns the Write.

    Raises InpaintError when there is no clean plate of that frame.
    """
    request = read_request(node)
    view = request.views[0]
    result = places.result_pattern(request.folder)
    clean = places.at_frame(places.in_view(result, view), frame)
    if not clean.is_file():
        raise InpaintError(f"{request.name} has no clean plate of frame {frame}; press Render first.")
    folder = _reference_folder(node, request)
    # What is painted on stays as it is now: the clean plate will hold the strokes itself.
    base = places.painted_pattern(request.folder)
    for each in request.views:
        _copy_frame(*(places.at_frame(places.in_view(path, each), frame) for path in (result, base)))
    where = node.parent()
    assert isinstance(where, nuke.Group)
    with where:
        read = _read(base, frame, frame)
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
    write["disable"].setValue(
        True
    )  # a render of all Writes must not write it on every frame; Render does, for its own
    write.addKnob(_painted_knob(frame))
    paint.showControlPanel()
    return write


def _painted_knob(frame: int) -> nuke.Knob:
    """The hidden knob by which a Write is known to keep a painted frame."""
    knob = nuke.Int_Knob(_PAINTED, "")
    knob.setValue(frame)
    knob.setFlag(nuke.INVISIBLE)
    return knob


def write_painted(node: nuke.Node, request: Request) -> None:
    """Write the frames that were painted for a node, as they are now; those that came out the same stay.

    Raises InpaintError when Nuke can't write one, Cancelled when the user stopped it.
    """
    where = node.parent()
    assert isinstance(where, nuke.Group)
    folder = request.beyond.reference
    for write in where.nodes():
        if write.Class() == "Write" and write.knob(_PAINTED) is not None:
            file = str(write["file"].value())
            if folder and file.rpartition("/")[0] == folder.rstrip("/"):
                _write_painted(write, file, places.painted_pattern(request.folder), request)


def _write_painted(write: nuke.Node, file: str, base: str, request: Request) -> None:
    """Write one beside what is there, and put it in its place where it differs."""
    frame = int(write[_PAINTED].value())
    staged = base.replace("/base.", "/new.")
    write["file"].setValue(staged)
    try:
        export.execute(write, frame, frame, list(request.views), request.name, "painted frame")
    finally:
        write["file"].setValue(file)
    for view in request.views:
        new, old = (places.at_frame(places.in_view(path, view), frame) for path in (staged, file))
        if exr.same_picture(new, old):
            new.unlink()
        else:
            old.parent.mkdir(parents=True, exist_ok=True)
            new.replace(old)


def _reference_folder(node: nuke.Node, request: Request) -> str:
    """Return the folder that takes a frame painted for this node, and set its knob to it."""
    given, own = request.beyond.reference, places.reference_folder(request.folder)
    if "." in given.rpartition("/")[2]:
        raise InpaintError(
            f"{request.name}: 'reference frames' names files, {given}; name a folder, or nothing."
        )
    if given and given not in _of_others(node):
        return given
    # A node that was copied goes on from what was painted for the other one, in a folder of its own.
    for view in request.views if given else ():
        _copy_pictures(Path(places.in_view(given, view)), Path(places.in_view(own, view)))
    node["reference"].setValue(own)
    return own


def _of_others(node: nuke.Node) -> set[str]:
    """Return the folders in which other nodes keep what was painted for them."""
    others = [other for other in every_inpaint(nuke.root()) if other.fullName() != node.fullName()]
    folders = (folder_or_none(other) for other in others)
    return {places.reference_folder(folder) for folder in folders if folder is not None}


def _copy_frame(old: Path, new: Path) -> None:
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        if old.is_file():
            shutil.copyfile(str(old), str(new))
    except OSError as error:
        raise InpaintError(f"Can't copy {old} to {new}: {error.strerror or error}.") from error


def _copy_pictures(old: Path, new: Path) -> None:
    for picture in old.glob("*.exr"):
        if not (new / picture.name).exists():
            _copy_frame(picture, new / picture.name)


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
    read["postage_stamp"].setValue(False)
    return read

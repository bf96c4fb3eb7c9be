"""The node itself: a Group made in Python of Nuke's own nodes, so that a script opens without the plug-in.

    plate ─┬─ write, which takes each of the inputs in turn
           ├──────────────── show 1 (Switch) ─ Output    matte ── overlay's mask
           ├─ overlay (Grade) ── show 2
    result (Read) ────────────── show 0, and 4 and 5 until there is a patch (see `sources`)
           └─ difference (Merge) show 3
    shadow: a matte of shadows and reflections

Nine nodes: Nuke Indie lets Python reach ten.
"""

from __future__ import annotations

from typing import Iterator

import nuke

from .knobs import LAYOUT, MARK, MATTE_INPUT, MODES, NAME, OF_THE_PATCH, PLATE_INPUT, SHADOW_INPUT, SHOWN
from .panel import add_knobs, add_missing
from .problem import InpaintError

WRITE = "write"
"""The Write inside; one for all inputs, since Nuke Indie lets Python reach ten nodes."""

NOT_RENDERED = "not_rendered_yet_press_Render_in_the_inpaint_node.%04d.exr"
"""File of the result's Read before there is one: its error message says what is the matter."""

_SHOWN = (
    # Never rendered: with a window the plate passes, on a farm the Read's error stops the render.
    "!parent.has_result ? ($gui ? (parent.show==2 ? 2 : 1) : 0) : "
    "frame<parent.result_first||frame>parent.result_last ? ($gui&&parent.show==2 ? 2 : 1) : "
    "$gui ? parent.show : 0"
)
_MATTE_ONLY = ("Roto", "RotoPaint", "Bezier", "Keyer", "Keylight", "Primatte3", "IBKColourV3", "Cryptomatte")


def is_inpaint(node: nuke.Node) -> bool:
    """Whether a node is one of ours."""
    return node.Class() == "Group" and node.knob(MARK) is not None


def every_inpaint(group: nuke.Group) -> Iterator[nuke.Node]:
    """Give every one of ours in a group and the groups in it, LiveGroups among them."""
    for node in group.nodes():
        if is_inpaint(node):
            yield node
        elif isinstance(node, nuke.Group):
            yield from every_inpaint(node)


def create(plate: nuke.Node | None = None, matte: nuke.Node | None = None) -> nuke.Node:
    """Make a VINet Inpaint node and wire it."""
    group = nuke.nodes.Group()
    group.setName(NAME, uncollide=True)
    add_knobs(group)
    with group:
        _build()
    group.setInput(PLATE_INPUT, plate)
    group.setInput(MATTE_INPUT, matte)
    return group


def convert(node: nuke.Node) -> None:
    """Give a node that an older plug-in made what it lacks: knobs, the input for shadows, what `show` has."""
    if int(node[MARK].value()) >= LAYOUT:
        return
    assert isinstance(node, nuke.Group)
    with node:
        if node.node("shadow") is None:
            _input("shadow", SHADOW_INPUT)
        if node.node(WRITE) is None:
            inner(node, "write_plate").setName(WRITE)
            nuke.delete(inner(node, "write_matte"))
    show_of_the_patch(node, (None, None))
    inner(node, "result")["postage_stamp"].setValue(False)
    for name, values in (("show", SHOWN), ("mode", MODES)):
        knob = node.knob(name)
        if isinstance(knob, nuke.Enumeration_Knob):
            chosen = knob.value()
            knob.setValues(list(values))
            knob.setValue(chosen)
    add_missing(node)


def show_of_the_patch(node: nuke.Node, sources: tuple[nuke.Node | None, ...]) -> None:
    """Have `show` lead to these nodes for what the patch's layers can show; None: to the result."""
    for name, source in zip(OF_THE_PATCH, sources):
        inner(node, "shown").setInput(SHOWN.index(name), source or inner(node, "result"))


def check_unlocked(node: nuke.Node) -> None:
    """Refuse a node in a LiveGroup whose contents are another file's: what is set there would be lost.

    Raises InpaintError.
    """
    around = node.parent()
    while around is not None and around.Class() != "Root":
        if isinstance(around, nuke.LiveGroup) and around.published():
            raise InpaintError(
                f"{node.fullName()} is in the LiveGroup {around.name()}, which is published: the script "
                "would forget what is rendered. Make the LiveGroup editable, render, and publish it again."
            )
        around = around.parent()


def create_from_selection() -> nuke.Node:
    """Make a node from the menu: wired to what is selected, beside it, with its panel open."""
    selected = list(nuke.selectedNodes())
    plate, matte = _tell_apart(selected)
    node = create(plate, matte)
    if plate is not None:
        node.setXYpos(plate.xpos(), plate.ypos() + 80)
    for other in selected:
        other.setSelected(False)
    node.setSelected(True)
    node.showControlPanel()
    return node


def inner(node: nuke.Node, name: str) -> nuke.Node:
    """Return a node inside one of ours. Raises ValueError when the Group was taken apart."""
    assert isinstance(node, nuke.Group)
    found = node.node(name)
    if found is None:
        raise ValueError(
            f"{node.name()} has no node '{name}' inside any more; make a new VINet Inpaint node."
        )
    return found


def _tell_apart(selected: list[nuke.Node]) -> tuple[nuke.Node | None, nuke.Node | None]:
    """Return plate and matte among selected nodes (the last selected comes first)."""
    mattes = [node for node in selected if node.Class() in _MATTE_ONLY]
    plates = [node for node in selected if node not in mattes]
    if len(plates) > 1 and not mattes:
        return plates[-1], plates[-2]
    return (plates[-1] if plates else None), (mattes[-1] if mattes else None)


def _build() -> None:
    """Make the nodes inside; the Group is the current one."""
    plate = _input("plate", PLATE_INPUT)
    matte = _input("matte", MATTE_INPUT)
    _input("shadow", SHADOW_INPUT)
    _write(plate)
    result = _read()
    switch = nuke.nodes.Switch(name="shown")
    shown = (result, plate, _overlay(plate, matte), _difference(plate, result), result, result)
    for index, source in enumerate(shown):
        switch.setInput(index, source)
    switch["which"].setExpression(_SHOWN)
    nuke.nodes.Output(name="Output1").setInput(0, switch)


def _input(name: str, number: int) -> nuke.Node:
    """Make one of the node's inputs; its name is what the arrow says."""
    made = nuke.nodes.Input(name=name)
    made["number"].setValue(number)
    return made


def _write(source: nuke.Node) -> nuke.Node:
    """Make a Write that is off but while we use it: 'render all' and farms must not run it by themselves."""
    write = nuke.nodes.Write(name=WRITE)
    write.setInput(0, source)
    write["file_type"].setValue("exr")
    write["disable"].setValue(True)
    return write


def _read() -> nuke.Node:
    read = nuke.nodes.Read(name="result")
    read["file"].setValue(NOT_RENDERED)
    read["raw"].setValue(True)
    read["on_error"].setValue("error")
    read["postage_stamp"].setValue(False)
    read["localizationPolicy"].setValue("off")
    return read


def _overlay(plate: nuke.Node, matte: nuke.Node) -> nuke.Node:
    """Make the plate with the matte in red over it."""
    grade = nuke.nodes.Grade(name="overlay")
    grade.setInput(0, plate)
    grade.setInput(1, matte)
    grade["multiply"].setValue([1.0, 0.5, 0.5, 1.0])
    grade["add"].setValue([0.25, 0.0, 0.0, 0.0])
    grade["maskChannelInput"].setValue("rgba.alpha")
    return grade


def _difference(plate: nuke.Node, result: nuke.Node) -> nuke.Node:
    merge = nuke.nodes.Merge2(name="difference")
    merge["operation"].setValue("difference")
    merge.setInput(0, plate)
    merge.setInput(1, result)
    return merge

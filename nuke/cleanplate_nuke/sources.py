"""What the patch's layers show: where each pixel of the hole came from, and how far it was made up.

The nodes are made in the Group once there is a patch, so that a node without one stays small.
"""

from __future__ import annotations

import nuke

from . import places
from .group import inner, show_of_the_patch
from .knobs import SHOWN, SOURCE
from .request import Request

COLORS = {1: "6f9f80", 2: "6f93b8", 3: "c8a452", 4: "b9685f", 5: "8a8a8a"}
"""Of `source.class`: real, referenced, painted, the network's, left; as on the review page."""

KNOWN = (1, 2)
"""Classes that are pictures of the place: real and referenced."""

_LEAST_COVER = 0.43
"""How opaque a class is that has hardly any share of a pixel, as on the review page."""

_READ = "sources"


def show(node: nuke.Node, request: Request) -> None:
    """Have `show` give *source* and *confidence* of a patch that was rendered; else the result."""
    # Python reaches ten nodes only in Nuke Indie, and these are five more.
    if not request.beyond.patch or nuke.env["indie"]:
        show_of_the_patch(node, (None, None))
        return
    assert isinstance(node, nuke.Group)
    if node.node(_READ) is None:
        with node:
            _build()
    read = inner(node, _READ)
    read["file"].setValue(places.patch_pattern(request.folder))
    for name, value in (("first", request.first), ("last", request.last)):
        read[name].setValue(value)
        read["orig" + name].setValue(value)
    reload = read["reload"]
    assert isinstance(reload, nuke.Script_Knob)
    reload.execute()
    show_of_the_patch(node, (inner(node, "source"), inner(node, "confidence")))


def are_shown(node: nuke.Node) -> bool:
    """Whether there is a patch to show."""
    return inner(node, "shown").input(SHOWN.index(SOURCE)) is not inner(node, "result")


def _build() -> None:
    read = nuke.nodes.Read(name=_READ)
    for name, value in (("raw", True), ("postage_stamp", False), ("localizationPolicy", "off")):
        read[name].setValue(value)
    read["on_error"].setValue("black")
    cover = f"(source.class>0)*({_LEAST_COVER}+{1 - _LEAST_COVER:.2f}*source.share)"
    _over_plate(read, "source", [f"{cover}*({_colored(channel)})" for channel in range(3)], cover)
    known = "({})*source.share".format("+".join(f"(source.class=={number})" for number in KNOWN))
    _over_plate(read, "confidence", [known] * 3, "source.class>0")


def _over_plate(read: nuke.Node, name: str, channels: list[str], alpha: str) -> None:
    """Make a picture of the layers, multiplied by its alpha, and lay it over the plate."""
    made = nuke.nodes.Expression(name=name + "_layer")
    made.setInput(0, read)
    for index, text in enumerate([*channels, alpha]):
        made[f"expr{index}"].setValue(text)
    merge = nuke.nodes.Merge2(name=name)
    merge["operation"].setValue("over")
    merge.setInput(0, nuke.toNode("plate"))
    merge.setInput(1, made)


def _colored(channel: int) -> str:
    """Return the expression of one channel: each class's color."""
    return "+".join(
        f"(source.class=={number})*{_linear(int(color[2 * channel : 2 * channel + 2], 16)):.4f}"
        for number, color in COLORS.items()
    )


def _linear(code: int) -> float:
    """Return the light of an 8-bit sRGB code."""
    value = code / 255
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

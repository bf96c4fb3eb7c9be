"""What Nuke calls by itself: when a knob changes, and (see `before`) before a render."""

from __future__ import annotations

import traceback

import nuke

from . import before, result, sources
from .catalog import presets
from .group import inner, is_inpaint
from .knobs import ABOUT_DAMAGE, ALL_VIEWS, CUSTOM, OF_THE_PATCH, REMOVE, RETARGET

_LOOK_KNOBS = (
    "matte_channel",
    "grow",
    "feather",
    "invert",
    "quality",
    "real_pixels",
    "search_frames",
    "grain",
    "paint",
    "mode",
    "sensitivity",
    "aspect",
    "keep",
    "reference",
    "patch",
)
NO_PATCH = "There is no {} to show: switch 'patch' on and press Render."
_HEARD = {*_LOOK_KNOBS, "showPanel", "range", "show"}
_registered: list[bool] = []


def register() -> None:
    """Ask Nuke to call what is here; once a session."""
    if not _registered:
        _registered.append(True)
        nuke.addBeforeRender(before.before_render, nodeClass="Write")
        nuke.addKnobChanged(knob_changed, nodeClass="Group")


def knob_changed() -> None:
    """Keep a node's panel true. Never raises: Nuke would show it at every touch of a knob."""
    node = nuke.thisNode()
    if not is_inpaint(node):
        return
    try:
        name = nuke.thisKnob().name()
        if name not in _HEARD:
            return
        if name in ("showPanel", "range"):
            _show_range(node)
        if name in ("showPanel", "real_pixels", "quality", "mode"):
            _show_real_pixels(node)
        if name in ("showPanel", "mode"):
            _show_mode(node)
        if name == "showPanel":
            _show_views(node)
        if name == "matte_channel":
            inner(node, "overlay")["maskChannelInput"].setValue(node["matte_channel"].value())
        if name == "show" and node["show"].value() in OF_THE_PATCH and not sources.are_shown(node):
            node["status"].setValue(NO_PATCH.format(node["show"].value()))
        if name in _LOOK_KNOBS and node["has_result"].value():
            _say_what_changed(node)
    except Exception:
        traceback.print_exc()


def _show_range(node: nuke.Node) -> None:
    custom = node["range"].value() == CUSTOM
    for name in ("first", "last"):
        node[name].setEnabled(custom)


def _show_mode(node: nuke.Node) -> None:
    """Gray what the mode does not use."""
    if node.knob("mode") is None:  # of an older layout, and not rendered since
        return
    mode = node["mode"].value()
    for name in ("grow", "feather", "quality", "grain", "paint", "reference"):
        node[name].setEnabled(mode not in ABOUT_DAMAGE)
    node["patch"].setEnabled(mode == REMOVE)
    node["sensitivity"].setEnabled(mode in ABOUT_DAMAGE)
    for name in ("aspect", "keep"):
        node[name].setEnabled(mode == RETARGET)


def _show_real_pixels(node: nuke.Node) -> None:
    unused = "propagate" in presets(str(node["quality"].value())) or (
        node.knob("mode") is not None and node["mode"].value() in ABOUT_DAMAGE
    )
    node["real_pixels"].setEnabled(not unused)
    node["search_frames"].setEnabled(not unused and bool(node["real_pixels"].value()))


def _show_views(node: nuke.Node) -> None:
    """Offer the views that the script has now."""
    knob = node["view"]
    assert isinstance(knob, nuke.Enumeration_Knob)
    chosen, wanted = knob.value(), [ALL_VIEWS, *list(nuke.views())]
    if list(knob.values()) != wanted:
        knob.setValues(wanted)
        knob.setValue(chosen if chosen in wanted else ALL_VIEWS)


def _say_what_changed(node: nuke.Node) -> None:
    changes = result.look_changes(node)
    if changes:
        node["status"].setValue("{}: Render fills every frame again.".format("; ".join(changes)))
    else:
        node["status"].setValue("As rendered.")

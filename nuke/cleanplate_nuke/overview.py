"""A panel of all inpaint nodes of the script: what each says, and Render for every one of them, in turn."""

from __future__ import annotations

from typing import Any

import nuke
import nukescripts  # type: ignore[import-not-found]

from . import flow, order, result

ID = "cleanplate.Overview"
TITLE = "Cleanplate"
_NONE = "none"


class Overview(nukescripts.PythonPanel):  # type: ignore[misc]
    """The panel; Nuke calls `knobChanged`."""

    def __init__(self) -> None:
        super().__init__(TITLE, ID)
        self.told = nuke.Text_Knob("told", "", "")
        self.node = nuke.Enumeration_Knob("node", "node", [_NONE])
        self.node.setTooltip("The node that 'Show' opens.")
        self.buttons = {}
        for name, label, tooltip in (
            ("show_node", "Show", "Open the node's panel, and go to the frame that its status names."),
            (
                "render_all",
                "Render all",
                "Render every node in turn, each after those that it needs.",
            ),
            ("stop", "Cancel", "Stop what renders. What is there is kept."),
            ("refresh", "Refresh", "Look at the script again."),
        ):
            self.buttons[name] = nuke.PyScript_Knob(name, label, "")
            self.buttons[name].setTooltip(tooltip)
        for knob in (self.told, self.node, *self.buttons.values()):
            self.addKnob(knob)
        self.refresh()

    def knobChanged(self, knob: nuke.Knob) -> None:  # noqa: N802 - Nuke's name
        """Do what a button says; anything else changes nothing."""
        actions = {"show_node": self._show, "render_all": self._render, "stop": self._stop, "refresh": None}
        if knob.name() not in actions:
            return
        action = actions[knob.name()]
        if action is not None:
            action()
        self.refresh()

    def refresh(self) -> None:
        """List the nodes as they are now."""
        nodes = order.all_inpaints()
        lines = ["{}: {}".format(node.fullName(), node["status"].value()) for node in nodes]
        self.told.setValue("\n".join(lines) or "The script has no VINet Inpaint node.")
        self.node.setValues([node.fullName() for node in nodes] or [_NONE])

    def _show(self) -> None:
        node = nuke.toNode(str(self.node.value()))
        if node is None:
            return
        node.showControlPanel()
        if node.knob("told_frame") is not None and node["told_frame"].value():
            nuke.frame(int(node["told_frame"].value()))

    def _render(self) -> None:
        flow.render_in_turn(order.all_inpaints(), _failed)

    def _stop(self) -> None:
        for node in order.all_inpaints():
            flow.cancel(node)


def _failed(node: nuke.Node, error: Exception) -> None:
    result.tell(node, f"Failed: {error}")
    nuke.message(str(error))


def open_panel() -> Any:
    """Put the panel where panes are added, or back where a saved workspace had it."""
    return Overview().addToPane()


def register() -> None:
    """Offer the panel among Nuke's own, so that workspaces can keep it."""
    nuke.menu("Pane").addCommand(TITLE, "from cleanplate_nuke import overview; overview.open_panel()")
    nukescripts.registerPanel(ID, open_panel)

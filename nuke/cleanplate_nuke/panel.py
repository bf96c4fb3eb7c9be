"""The node's panel: its knobs in their order, with labels, ranges and tooltips."""

from __future__ import annotations

from typing import Any

import nuke

from .catalog import FIELDS, choices, tooltip
from .knobs import ALL_VIEWS, ENGINES, LAYOUT, MARK, MODES, PRECISIONS, RANGES, SHOWN

_NOT_INSTALLED = (
    "Cleanplate is not installed on this machine, so this button does nothing here. The node still shows "
    "what was rendered. To render here, install Cleanplate and run 'cleanplate install nuke'."
)

_BUTTON = """try:
    from cleanplate_nuke import buttons
except ImportError:
    nuke.message({message!r})
else:
    buttons.{action}(nuke.thisNode())
"""


def add_knobs(node: nuke.Group) -> None:
    """Give a new Group its knobs."""
    for knob in _all_knobs():
        node.addKnob(knob)


def add_missing(node: nuke.Node) -> None:
    """Give a node of an older layout the knobs that it lacks, at their defaults."""
    for knob in _all_knobs():
        if node.knob(knob.name()) is None:
            node.addKnob(knob)
    node[MARK].setValue(LAYOUT)


def _all_knobs() -> list[nuke.Knob]:
    return [
        nuke.Tab_Knob("cleanplate", "VINet Inpaint"),
        *_what(),
        _line("look"),
        *_look(),
        _line("files"),
        *_files(),
        _line("run"),
        *_run(),
        _line("result"),
        *_result(),
        *_hidden(),
    ]


def _what() -> list[nuke.Knob]:
    return [
        _told(
            nuke.Enumeration_Knob("mode", "mode", list(MODES)),
            "'remove what is matted': the matte says what goes away, and a clean plate is filled. 'repair "
            "film damage': dust, dirt, hairs and running scratches are found and repaired; a matte is not "
            "needed, and where one is connected it says what is repaired. 'find film damage': the result is "
            "a matte of it, to look at, to paint in, and to repair by. 'another aspect': what is matted "
            "keeps its size, and the clean plate behind it is squeezed or cropped; the result has the new "
            "format, and outside the frame range the node still passes the plate in its own.",
        ),
        _told(
            nuke.Enumeration_Knob("range", "frame range", list(RANGES)),
            "Which frames are filled. 'input': those of the plate. 'project': those of the project settings. "
            "'custom': the two numbers beside. Outside of them the node passes the plate through.",
        ),
        _beside(_told(nuke.Int_Knob("first", ""), "First frame, for the frame range 'custom'.")),
        _beside(_told(nuke.Int_Knob("last", ""), "Last frame, for the frame range 'custom'.")),
        _told(
            nuke.Enumeration_Knob("view", "view", [ALL_VIEWS, *list(nuke.views())]),
            "Which views are filled, each as a shot of its own.",
        ),
        _told(
            nuke.Channel_Knob("matte_channel", "matte channel", 1),
            "The channel of the matte input that says what goes away. White (1) is filled.",
            "rgba.alpha",
        ),
        _beside(_setting(nuke.Boolean_Knob, "invert", "matte_invert")),
    ]


def _look() -> list[nuke.Knob]:
    return [
        _setting(nuke.Int_Knob, "grow"),
        _setting(nuke.Int_Knob, "feather"),
        _setting(nuke.Enumeration_Knob, "quality"),
        _told(
            nuke.Boolean_Knob("real_pixels", "real pixels"),
            "Look on other frames for what the matte hides, and put those pixels back; only the rest is "
            "painted. Sharper than any painting, and slower. Off: everything is painted. 'draft' paints "
            "everything, whatever this says.",
            True,
        ),
        _beside(_setting(nuke.Int_Knob, "search_frames", "propagate")),
        _setting(nuke.Enumeration_Knob, "paint"),
        _setting(nuke.File_Knob, "reference"),
        _beside(
            _button(
                "do_reference",
                "Paint this frame",
                "paint_reference",
                "Make a reference of the clean plate's current frame: a RotoPaint on it, and a Write into "
                "the folder of 'reference frames'. Paint, then press Render here: it has that Write write "
                "this frame. What you painted goes before all that was found or filled, on every frame.",
            )
        ),
        _ranged(_setting(nuke.Double_Knob, "sensitivity"), 0, 1),
        _setting(nuke.String_Knob, "aspect"),
        _beside(_setting(nuke.Enumeration_Knob, "keep")),
        _beside(_setting(nuke.Enumeration_Knob, "grain")),
        _told(
            nuke.String_Knob("color", "color space"),
            "Color space of the plate as it is in the script. 'auto' takes the script's working space: "
            "scene-linear Rec.709 under Nuke's own color management, or the OCIO working space. Else a name "
            "from the script's OCIO configuration, such as ACEScg. Outside the matte nothing is converted.",
            "auto",
        ),
    ]


def _files() -> list[nuke.Knob]:
    return [
        _told(
            nuke.File_Knob("folder", "folder"),
            "Where plate, matte and clean plate are written. Empty: in 'cleanplate' beside the script, or "
            "in a temporary folder while the script was never saved. %V stands for the view; "
            "TCL is evaluated.",
        ),
        _ranged(
            _told(
                nuke.Int_Knob("version", "version"),
                "Raise it to keep the clean plate that is there and render into another folder (v002).",
                1,
            ),
            1,
            20,
        ),
        _told(
            nuke.Enumeration_Knob("precision", "precision", list(PRECISIONS)),
            "What the plate is written as. 32 bit keeps every pixel outside the matte exactly as it is in "
            "the script; 16 bit takes half the disk and rounds, unless the plate was 16 bit already.",
        ),
        _told(
            nuke.Boolean_Knob("patch", "patch"),
            "Write the fill alone too, premultiplied and with its alpha, and say in the layers 'source' and "
            "'source_st' where each of its pixels came from. For grading, blurring or masking the fill in "
            "the comp.",
        ),
        _beside(
            _button(
                "do_patch",
                "Patch in the comp",
                "patch_in_comp",
                "Make a Read of the patch and a Merge of it over the plate, beside this node.",
            )
        ),
    ]


def _run() -> list[nuke.Knob]:
    return [
        _setting(nuke.String_Knob, "model"),
        _setting(nuke.String_Knob, "device"),
        _told(
            nuke.File_Knob("command", "cleanplate"),
            "Where the command 'cleanplate' is, or the Python it is installed in. Empty: it is looked for in "
            "$CLEANPLATE, beside this plug-in, and on the PATH.",
        ),
        _button(
            "do_render",
            "Render",
            "render",
            "Write plate and matte, fill what is new or has changed, load it.",
        ),
        _beside(
            _button(
                "do_update",
                "Update from this frame on",
                "update",
                "As Render, but write plate and matte only from the current frame on: quicker, when you know "
                "that nothing before it has changed.",
            )
        ),
        _beside(
            _button(
                "do_cancel",
                "Cancel",
                "cancel",
                "Stop within a second or two. What is there is kept; Render goes on from it.",
            )
        ),
        _button("do_reveal", "Reveal folder", "reveal", "Open the folder with the clean plate."),
        _beside(
            _button(
                "do_review",
                "Review",
                "review",
                "Make a page of the clean plate for the browser, before and after, with what was measured "
                "and found, and open it. Takes about a second a frame, beside Nuke.",
            )
        ),
        _beside(
            _button(
                "do_check",
                "Check",
                "check",
                "Hold the clean plate against the plate: untouched outside the matte, no seam, no flicker, "
                "nothing soft. The status says what was found; takes about a second a frame, beside Nuke. "
                "Before the first render: look at plate and matte, and say what speaks against one.",
            )
        ),
        _beside(_button("do_goto", "Go to frame", "go_to_frame", "Go to the frame that the status names.")),
        _beside(
            _told(
                nuke.Enumeration_Knob("engine", "", list(ENGINES)), "The farm that 'Send to farm' writes for."
            )
        ),
        _beside(
            _told(
                nuke.Boolean_Knob("submit", "submit"),
                "Hand the job to the farm's own client, which has to be installed here. Off: only write it.",
            )
        ),
        _beside(
            _button(
                "do_farm",
                "Send to farm",
                "send_to_farm",
                "Write plate and matte, and a farm job that fills them without a Nuke licence. Press Render "
                "when it is done: that loads the result.",
            )
        ),
        _beside(_button("do_help", "Help", "explain", "What the node does, in a few lines.")),
    ]


def _result() -> list[nuke.Knob]:
    return [
        _told(
            nuke.Enumeration_Knob("show", "show", list(SHOWN)),
            "What comes out of the node. Set it to 'result' for rendering: a Write below refuses the others. "
            "'source' and 'confidence' need a render with 'patch' on. 'source': green is found on other "
            "frames, blue painted by you, ocher painted, red the network's. 'confidence': white is known "
            "from other frames or a reference, black is a guess.",
        ),
        _told(
            nuke.Text_Knob("status", "status", "not rendered yet"),
            "What was done last, and what Render would do.",
        ),
    ]


def _hidden() -> list[nuke.Knob]:
    """Knobs that remember what the result is."""
    hidden = [
        _told(nuke.Int_Knob(MARK, ""), "", LAYOUT),
        nuke.Boolean_Knob("has_result", ""),
        nuke.Int_Knob("result_first", ""),
        nuke.Int_Knob("result_last", ""),
        nuke.String_Knob("rendered_with", ""),
        nuke.String_Knob("told_frame", ""),
    ]
    for knob in hidden:
        knob.setFlag(nuke.INVISIBLE)
    return hidden


def _setting(kind: type[Any], name: str, setting: str = "") -> nuke.Knob:
    """Return a knob for one of the core's settings, as the core declares it; by default of the same name."""
    field = FIELDS[setting or name]
    values: list[Any] = [choices(setting or name)] if field["kind"] == "choice" else []
    knob = _told(kind(name, field["label"], *values), tooltip(setting or name), field["default"])
    return _ranged(knob, *field["slider"]) if "slider" in field else knob


def _told(knob: nuke.Knob, tooltip: str, value: object = None) -> nuke.Knob:
    if tooltip:
        knob.setTooltip(tooltip)
    if value is not None:
        knob.setValue(value)
    return knob


def _beside(knob: nuke.Knob) -> nuke.Knob:
    """Put a knob on the line of the one before it."""
    knob.clearFlag(nuke.STARTLINE)
    return knob


def _ranged(knob: nuke.Knob, low: int, high: int) -> nuke.Knob:
    """Give a number a slider; other values can still be typed."""
    assert isinstance(knob, nuke.Array_Knob)
    knob.setRange(low, high)
    return knob


def _line(name: str) -> nuke.Knob:
    return nuke.Text_Knob("line_" + name, "", "")


def _button(name: str, label: str, action: str, tooltip: str) -> nuke.Knob:
    command = _BUTTON.format(message=_NOT_INSTALLED, action=action)
    knob = nuke.PyScript_Knob(name, label, command)
    return _told(knob, tooltip)

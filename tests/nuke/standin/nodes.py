"""Nodes and groups: the graph, with the knobs that each class of node has in Nuke."""

from __future__ import annotations

from .knobs import (
    INVISIBLE,
    AColor_Knob,
    Array_Knob,
    BBox_Knob,
    Boolean_Knob,
    Channel_Knob,
    ChannelMask_Knob,
    Disable_Knob,
    Enumeration_Knob,
    File_Knob,
    Int_Knob,
    PyScript_Knob,
    Script_Knob,
    String_Knob,
    check_thread,
    expect,
)

MANY = 100
_MISSING = ["error", "black", "checkerboard", "nearest frame"]
_EXR = {
    "datatype": lambda: Enumeration_Knob("datatype", "datatype", ["16 bit half", "32 bit float"]),
    "compression": lambda: Enumeration_Knob(
        "compression", "", ["Zip (1 scanline)", "none", "Zip (16 scanlines)", "PIZ Wavelet (32 scanlines)"]
    ),
    "metadata": lambda: Enumeration_Knob(
        "metadata",
        "",
        [
            "default metadata",
            "no metadata",
            "default metadata and exr/*",
            "all metadata except input/*",
            "all metadata",
        ],
    ),
    "autocrop": lambda: Boolean_Knob("autocrop", ""),
}
"""Knobs that a Write has once its file type is exr."""


def _specs(name):
    """Return a class's knobs and its number of inputs."""
    table = {
        "Input": ([Int_Knob("number", "")], 1),
        "Output": ([], 1),
        "Dot": ([], 1),
        "NoOp": ([], 1),
        "Crop": (
            [
                BBox_Knob("box", ""),
                Boolean_Knob("reformat", ""),
                Boolean_Knob("intersect", ""),
                Boolean_Knob("crop", "", True),
            ],
            1,
        ),
        "RotoPaint": ([], 2),
        "Switch": ([Array_Knob("which", "")], MANY),
        "Merge2": ([Enumeration_Knob("operation", "", ["over", "difference", "plus"])], 3),
        "Grade": (
            [
                AColor_Knob("multiply", "", 1.0),
                AColor_Knob("add", "", 0.0),
                Channel_Knob("maskChannelInput", "", 1),
            ],
            2,
        ),
        "Read": (
            [
                File_Knob("file", ""),
                Int_Knob("first", ""),
                Int_Knob("last", ""),
                Int_Knob("origfirst", ""),
                Int_Knob("origlast", ""),
                Enumeration_Knob("before", "", ["hold", "loop", "bounce", "black"]),
                Enumeration_Knob("after", "", ["hold", "loop", "bounce", "black"]),
                Enumeration_Knob("on_error", "", _MISSING),
                Boolean_Knob("raw", ""),
                Enumeration_Knob("localizationPolicy", "", ["fromAutoLocalizePath", "on", "onDemand", "off"]),
                Script_Knob("reload", "reload"),
            ],
            0,
        ),
        "Write": (
            [
                ChannelMask_Knob("channels", ""),
                File_Knob("file", ""),
                Enumeration_Knob("file_type", "", [" ", "exr", "dpx", "png"]),
                Boolean_Knob("raw", ""),
                Boolean_Knob("create_directories", ""),
            ],
            1,
        ),
        "Expression": ([String_Knob(f"expr{index}", "") for index in range(4)], 1),
        "Group": ([], MANY),
        "LiveGroup": ([], MANY),
        "Root": (
            [
                Int_Knob("first_frame", ""),
                Int_Knob("last_frame", ""),
                Int_Knob("frame", ""),
                Boolean_Knob("proxy", ""),
                Enumeration_Knob("colorManagement", "", ["Nuke", "OCIO"]),
                Enumeration_Knob("OCIO_config", "", ["nuke-default", "aces_1.2", "custom"]),
                File_Knob("customOCIOConfigPath", ""),
                String_Knob("workingSpaceLUT", ""),
            ],
            0,
        ),
    }
    if name not in table:
        raise RuntimeError(f"{name}: Unknown command")
    return table[name]


class Node:
    """One node."""

    def __init__(self, host, kind, parent):
        own, self._most = _specs(kind)
        self._host = host
        self._kind = kind
        self._parent = parent
        self._inputs = []
        self._knobs = {}
        self._user_knobs = []
        self._alive = True
        self._cache = {}
        self._stroke = None  # of a RotoPaint: what an artist has painted
        for knob in [
            File_Knob("name", "") if kind == "Root" else String_Knob("name", ""),
            String_Knob("label", ""),
            Disable_Knob("disable", ""),
            Boolean_Knob("postage_stamp", "", kind == "Read"),
            *own,
        ]:
            self._attach(knob)

    def __setattr__(self, name, value):
        if not name.startswith("_"):
            raise AttributeError(f"a node has no attribute {name!r}")
        object.__setattr__(self, name, value)

    def _attach(self, knob):
        knob._node = self
        self._knobs[knob.name()] = knob

    def _check(self):
        check_thread()
        if not self._alive:
            raise ValueError("A PythonObject is not attached to a node")

    def __getitem__(self, name):
        found = self.knob(name)
        if found is None:
            raise NameError(f"knob {name} does not exist")
        return found

    def Class(self):
        return self._kind

    def knob(self, p, follow_link=True):
        self._check()
        expect(p, str, "a knob's name")
        if (
            self._kind == "Write"
            and p in _EXR
            and p not in self._knobs
            and self._knobs["file_type"].value() == "exr"
        ):
            self._attach(_EXR[p]())
        return self._knobs.get(p)

    def knobs(self):
        return dict(self._knobs)

    def addKnob(self, knob):
        self._check()
        if knob.name() in self._knobs:
            raise ValueError(f"{self.name()} has a knob {knob.name()} already")
        self._attach(knob)
        self._user_knobs.append(knob)

    def name(self):
        self._check()
        return self._knobs["name"].value()

    def setName(self, name, uncollide=True, updateExpressions=False):
        self._check()
        expect(name, str, "name")
        taken = {node._knobs["name"]._value for node in self._parent._children if node is not self}
        free = name
        while free in taken:
            digits = len(free) - len(free.rstrip("0123456789"))
            stem, number = (free[:-digits], int(free[-digits:])) if digits else (free, 0)
            free = stem + str(number + 1)
        if free != name and not uncollide:
            raise ValueError(f"{name} is taken")
        self._knobs["name"].setValue(free)

    def fullName(self):
        self._check()
        own = self._knobs["name"].value()
        return (
            own
            if self._parent is None or self._parent.Class() == "Root"
            else self._parent.fullName() + "." + own
        )

    def parent(self):
        return self._parent

    def input(self, index):
        self._check()
        return self._inputs[index] if index < len(self._inputs) else None

    def inputs(self):
        return len(self._inputs)

    def maxInputs(self):
        return self._most

    def setInput(self, i, node):
        self._check()
        expect(i, int, "input")
        if i >= self.maxInputs():
            raise ValueError(f"{self.name()} has no input {i}")
        if node is not None and node.parent() is not self._parent:
            raise ValueError(f"{self.name()} and {node.name()} are not in one group")
        while len(self._inputs) <= i:
            self._inputs.append(None)
        self._inputs[i] = node
        return True

    def dependencies(self, mask):
        self._check()
        expect(mask, int, "mask")
        return [node for node in self._inputs if node is not None]

    def frameRange(self):
        self._check()
        return FrameRange(*self._frames())

    def _frames(self):
        if self._kind == "Read":
            return self["first"].value(), self["last"].value(), 1
        if self._kind == "Input":
            source = self._outside()
            return source._frames() if source is not None else self._host.root()._frames()
        above = [node._frames() for node in self._above() if node is not None]
        if self._kind == "Root" or not above:
            root = self._host.root()
            return root["first_frame"].value(), root["last_frame"].value(), 1
        return min(span[0] for span in above), max(span[1] for span in above), 1

    def _above(self):
        return self._inputs

    def _outside(self):
        """What is connected to the group that this Input node is in."""
        return self._parent.input(self["number"].value())

    def channels(self):
        self._check()
        from .pictures import evaluate

        return list(evaluate(self, self._host.frame(), self._host.views()[0]).channels)

    def xpos(self):
        return 0

    def ypos(self):
        return 0

    def setXYpos(self, x, y):
        expect(x, int, "x")
        expect(y, int, "y")

    def setSelected(self, selected):
        expect(selected, bool, "selected")
        self._host._select(self, selected)

    def showControlPanel(self, forceFloat=False):
        self._check()
        if not self._host.GUI:
            raise RuntimeError("there is no window")
        self._host._notify(self, String_Knob("showPanel", ""))

    def _knob_changed(self, knob):
        self._host._hash += 1
        self._host._notify(self, knob)

    def _pressed(self, knob):
        if self._kind == "Read" and knob.name() == "reload":
            self._cache.clear()
        elif isinstance(knob, PyScript_Knob):
            self._host._run(knob.command(), self, knob)
        else:
            raise AssertionError(f"{knob.name()} does nothing here")


class Group(Node):
    """A node made of nodes."""

    def __init__(self, host, kind, parent):
        Node.__init__(self, host, kind, parent)
        self._children = []

    def maxInputs(self):
        return sum(node.Class() == "Input" for node in self._children)

    def nodes(self):
        self._check()
        return list(self._children)

    def node(self, s):
        self._check()
        return next((child for child in self._children if child.name() == s), None)

    def begin(self):
        self._check()
        self._host._inside.append(self)
        return self

    def end(self):
        assert self._host._inside.pop() is self

    def __enter__(self):
        return self.begin()

    def __exit__(self, kind, value, trace):
        self.end()

    def _above(self):
        return [node for node in self._children if node.Class() == "Output"]


class Precomp(Group):
    """A group whose nodes are another script's."""

    def reload(self):
        raise AssertionError("nothing here reloads one")


class LiveGroup(Precomp):
    """A group that other scripts have too; `_published`: it can't be changed here."""

    def __init__(self, host, kind, parent):
        Precomp.__init__(self, host, kind, parent)
        self._published = False

    def published(self):
        return self._published

    def modified(self):
        return not self._published


class Root(Group):
    """The script."""

    def __init__(self, host):
        Group.__init__(self, host, "Root", None)

    def addView(self, name):
        expect(name, str, "view")
        self._host._views.append(name)

    def firstFrame(self):
        return self["first_frame"].value()

    def lastFrame(self):
        return self["last_frame"].value()


class FrameRange:
    """First and last frame."""

    def __init__(self, first, last, increment):
        self._span = (first, last, increment)

    def first(self):
        return self._span[0]

    def last(self):
        return self._span[1]

    def increment(self):
        return self._span[2]


def hidden(knob):
    """Whether a knob is not shown."""
    return knob.getFlag(INVISIBLE)

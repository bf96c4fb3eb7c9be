"""Knobs: a value of one type, a tooltip, flags; some take expressions, one runs a script."""

from __future__ import annotations

import re
import threading

STARTLINE, INVISIBLE, DISABLED = 0x1000, 0x400, 0x80


def check_thread():
    if threading.current_thread() is not threading.main_thread():
        raise AssertionError("Nuke's nodes and knobs may be touched in the main thread only")


def expect(value, kinds, what):
    if not isinstance(value, kinds):
        raise TypeError(f"{what}: got {value!r}")


class Knob:
    """What every knob has."""

    _default = None

    def __init__(self, name, label=None):
        expect(name, str, "a knob's name")
        self._name = name
        self._label = label
        self._tooltip = ""
        self._flags = STARTLINE
        self._enabled = True
        self._node = None
        self._value = self._default
        self._expression = None

    def __setattr__(self, name, value):
        if not name.startswith("_"):
            raise AttributeError(f"a knob has no attribute {name!r}")
        object.__setattr__(self, name, value)

    def Class(self):
        return type(self).__name__

    def name(self):
        return self._name

    def label(self):
        return self._label

    def node(self):
        return self._node

    def tooltip(self):
        return self._tooltip

    def setTooltip(self, tooltip):
        expect(tooltip, str, "tooltip")
        self._tooltip = tooltip

    def setFlag(self, flag):
        expect(flag, int, "flag")
        self._flags |= flag

    def clearFlag(self, flag):
        expect(flag, int, "flag")
        self._flags &= ~flag

    def getFlag(self, flag):
        return bool(self._flags & flag)

    def setEnabled(self, enabled):
        expect(enabled, bool, "enabled")
        self._enabled = enabled

    def enabled(self):
        return self._enabled

    def visible(self):
        return not self._flags & INVISIBLE

    def value(self):
        check_thread()
        return self._value

    def setValue(self, val):
        check_thread()
        self._store(self._checked(val))
        return True

    def _checked(self, value):
        raise NotImplementedError

    def _store(self, value):
        changed = value != self._value
        self._value = value
        self._expression = None
        if changed and self._node is not None:
            self._node._knob_changed(self)

    def _is_default(self):
        return self._value == self._default and self._expression is None


class Tab_Knob(Knob):
    """Begins a tab."""


class Text_Knob(Knob):
    """A line of text."""

    _default = ""

    def __init__(self, name, label=None, value=""):
        Knob.__init__(self, name, label)
        self._value = self._checked(value)

    def _checked(self, value):
        expect(value, str, self._name)
        return value


class String_Knob(Knob):
    """Text that can be typed."""

    _default = ""

    def _checked(self, value):
        expect(value, str, self._name)
        return value


class EvalString_Knob(String_Knob):
    """Text with TCL in it."""


class File_Knob(EvalString_Knob):
    """A path, with forward slashes on every system."""

    def _checked(self, value):
        expect(value, str, self._name)
        if "\\" in value:
            raise AssertionError(f"{self._name}: Nuke takes backslashes for escapes: {value!r}")
        return value


class Array_Knob(Knob):
    """Numbers, with expressions."""

    _default = 0

    def __init__(self, name, label=None, size=1, default=0):
        Knob.__init__(self, name, label)
        self._size = size
        self._default = default if size == 1 else list(default)
        self._value = self._default
        self._range = None

    def setRange(self, low, high):
        assert low < high
        self._range = (low, high)

    def setExpression(self, expression, channel=-1, view=None):
        check_thread()
        expect(expression, str, self._name)
        self._expression = expression
        return True

    def hasExpression(self, channel=-1):
        return self._expression is not None

    def value(self):
        check_thread()
        if self._expression is None:
            return self._value
        from .expressions import evaluate

        node = self._node
        return self._checked(evaluate(self._expression, node, node._host.frame(), node._host.GUI))

    def _checked(self, value):
        if self._size == 1:
            expect(value, (int, float), self._name)
            return value
        expect(value, (list, tuple), self._name)
        if len(value) != self._size:
            raise ValueError(f"{self._name} takes {self._size} numbers, got {value!r}")
        return [float(number) for number in value]


class Int_Knob(Array_Knob):
    """One whole number."""

    def __init__(self, name, label=None):
        Array_Knob.__init__(self, name, label)

    def _checked(self, value):
        if isinstance(value, bool):
            raise TypeError(f"{self._name}: a bool is no number")
        expect(value, (int, float), self._name)
        return int(value)


class Double_Knob(Array_Knob):
    """One number."""

    def __init__(self, name, label=None):
        Array_Knob.__init__(self, name, label)

    def _checked(self, value):
        if isinstance(value, bool):
            raise TypeError(f"{self._name}: a bool is no number")
        expect(value, (int, float), self._name)
        return float(value)


class Boolean_Knob(Array_Knob):
    """On or off."""

    def __init__(self, name, label=None, value=False):
        Array_Knob.__init__(self, name, label, 1, False)
        self._value = value

    def _checked(self, value):
        if value not in (0, 1, False, True):
            raise TypeError(f"{self._name}: got {value!r}")
        return bool(value)


class Disable_Knob(Boolean_Knob):
    """Every node's off switch."""


class BBox_Knob(Array_Knob):
    """x, y, right, top."""

    def __init__(self, name, label=None):
        Array_Knob.__init__(self, name, label, 4, (0, 0, 0, 0))


class AColor_Knob(Array_Knob):
    """Red, green, blue, alpha."""

    def __init__(self, name, label=None, default=0.0):
        Array_Knob.__init__(self, name, label, 4, (default,) * 4)


class Enumeration_Knob(Knob):
    """One of several names."""

    def __init__(self, name, label, values):
        Knob.__init__(self, name, label)
        self._names = self._listed(values)
        self._default = self._value = self._names[0]

    def values(self):
        return list(self._names)

    def numValues(self):
        return len(self._names)

    def setValues(self, values):
        check_thread()
        index = self._names.index(self._value)
        self._names = self._listed(values)
        if self._value not in self._names:
            self._value = self._names[min(index, len(self._names) - 1)]

    def _checked(self, value):
        if isinstance(value, int):
            return self._names[value]
        if value not in self._names:
            raise TypeError(f"{self._name} has no value {value!r}; it has {self._names}")
        return value

    @staticmethod
    def _listed(values):
        expect(values, list, "an enumeration's values")
        for value in values:
            expect(value, str, "an enumeration's value")
        assert values
        return list(values)


class Channel_Knob(Knob):
    """A channel, or a layer, by its full name."""

    _default = "none"

    def __init__(self, name, label=None, depth=4):
        Knob.__init__(self, name, label)
        self._depth = depth

    def _checked(self, value):
        expect(value, str, self._name)
        layer = r"(none|all|rgba?|alpha|[A-Za-z_]\w*(\.[A-Za-z_]\w*)?)"
        if not re.fullmatch(layer, value) or (self._depth == 1 and "." not in value and value != "none"):
            raise ValueError(f"{self._name}: {value!r} is no channel")
        return value


class ChannelMask_Knob(Channel_Knob):
    """Several channels."""


class Script_Knob(String_Knob):
    """A button."""

    def __init__(self, name, label=None, command=""):
        String_Knob.__init__(self, name, label)
        self._value = self._checked(command)

    def command(self):
        return self._value

    def execute(self):
        check_thread()
        self._node._pressed(self)


class PyScript_Knob(Script_Knob):
    """A button that runs Python."""


CODES = {
    1: String_Knob,
    2: File_Knob,
    3: Int_Knob,
    4: Enumeration_Knob,
    6: Boolean_Knob,
    7: Double_Knob,
    20: Tab_Knob,
    22: PyScript_Knob,
    24: Channel_Knob,
    26: Text_Knob,
}
"""What `addUserKnob` calls the knobs a user can add."""

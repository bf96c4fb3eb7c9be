"""`nukescripts`, as far as panels need it."""

from __future__ import annotations

import types

from .knobs import Knob, expect


def scripts_module(host):
    """Return the module for a session."""

    class PythonPanel:
        """A panel of knobs; `knobChanged` is the subclass's."""

        def __init__(self, title="", id="", scrollable=True):
            expect(title, str, "title")
            expect(id, str, "id")
            self._knobs = {}

        def addKnob(self, knob):
            expect(knob, Knob, "knob")
            assert knob.name() not in self._knobs, knob.name()
            self._knobs[knob.name()] = knob

        def knobs(self):
            return self._knobs

        def knobChanged(self, knob):
            pass

        def addToPane(self, pane=None):
            assert host.GUI, "there is no window"
            host.panes.append(self)
            return self

    def registerPanel(id, command):
        expect(id, str, "id")
        assert callable(command)

    module = types.ModuleType("nukescripts")
    module.PythonPanel, module.registerPanel = PythonPanel, registerPanel
    return module

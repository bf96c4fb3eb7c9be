"""The running Nuke: its functions, its callbacks, its main thread."""

from __future__ import annotations

import re
import threading
import types
from pathlib import Path

from . import knobs, nodes, script_text
from .knobs import check_thread, expect
from .panels import scripts_module

_KNOBS = [
    "Array_Knob",
    "AColor_Knob",
    "BBox_Knob",
    "Boolean_Knob",
    "Channel_Knob",
    "ChannelMask_Knob",
    "Disable_Knob",
    "Double_Knob",
    "Enumeration_Knob",
    "EvalString_Knob",
    "File_Knob",
    "Int_Knob",
    "Knob",
    "PyScript_Knob",
    "Script_Knob",
    "String_Knob",
    "Tab_Knob",
    "Text_Knob",
]
_FUNCTIONS = [
    "addBeforeRender",
    "addKnobChanged",
    "allNodes",
    "ask",
    "createNode",
    "delete",
    "execute",
    "executeInMainThread",
    "executing",
    "frame",
    "menu",
    "message",
    "nodeCopy",
    "nodePaste",
    "pluginAddPath",
    "pluginPath",
    "removeBeforeRender",
    "root",
    "scriptClear",
    "scriptOpen",
    "scriptSave",
    "scriptSaveAs",
    "selectedNodes",
    "tcl",
    "thisGroup",
    "thisKnob",
    "thisNode",
    "toNode",
    "tprint",
    "views",
]


class Host:
    """One session of Nuke. `module` is what `import nuke` gives.

    Args:
        gui: whether there is a window.
        version: as ``16.0v1``.

    Attributes:
        messages: what `nuke.message` has shown.
        tasks: progress meters that were opened.
        printed: lines of `nuke.tprint`.
        scripts: what `import nukescripts` gives.
        panes: panels that were put into a pane.
        on_frame: called with each frame that a Write has written; may raise to cancel.
        cancel_after: the user presses a meter's Cancel once it has shown so many frames; None: never.
    """

    def __init__(self, gui=True, version="16.0v1"):
        self.GUI = gui
        self.NUKE_VERSION_STRING = version
        self.messages = []
        self.tasks = []
        self.printed = []
        self.on_frame = lambda node, frame, view: None
        self.cancel_after = None
        self._hash = 1000
        self._this = []
        self._executing = False
        self._notifying = False
        self._before = []
        self._changed = []
        self._calls = []
        self._calls_lock = threading.Condition()
        self._menus = {}
        self._plugin_path = []
        self._read_in = None
        self._clear()
        self.module = self._module()
        self.scripts = scripts_module(self)
        self.panes = []

    def _clear(self):
        self._views = ["main"]
        self._selected = []
        self._inside = []
        self._root = nodes.Root(self)
        self._root["last_frame"].setValue(100)
        self._root["first_frame"].setValue(1)
        self._root["frame"].setValue(1)
        self._root["workingSpaceLUT"].setValue("linear")

    def _module(self):
        module = types.ModuleType("nuke")
        for name in _KNOBS:
            setattr(module, name, getattr(knobs, name))
        for name in ("Node", "Group", "Precomp", "LiveGroup", "Root", "FrameRange"):
            setattr(module, name, getattr(nodes, name))
        for name in _FUNCTIONS:
            setattr(module, name, getattr(self, name))
        module.nodes = _Makers(self)
        module.ProgressTask = self._progress_task()
        module.env = {
            "gui": self.GUI,
            "indie": False,
            "nc": False,
            "NukeVersionString": self.NUKE_VERSION_STRING,
        }
        module.GUI = self.GUI
        module.NUKE_VERSION_STRING = self.NUKE_VERSION_STRING
        module.EXE_PATH = f"/opt/Nuke{self.NUKE_VERSION_STRING}/Nuke{self.NUKE_VERSION_STRING}"
        module.INVISIBLE, module.STARTLINE = knobs.INVISIBLE, knobs.STARTLINE
        module.INPUTS, module.HIDDEN_INPUTS, module.EXPRESSIONS = 1, 2, 4
        return module

    # --- what tests do -----------------------------------------------------------------------------------

    def pump(self, until, seconds=120):
        """Be the main thread's event loop until something is true."""
        import time

        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "nothing happens any more"
            with self._calls_lock:
                self._calls_lock.wait(0.02)
                calls, self._calls = self._calls, []
            for call, args, kwargs in calls:
                call(*args, **kwargs)

    def start(self, folder):
        """Start up with a plug-in folder: run its init.py and, with a window, its menu.py."""
        import sys

        sys.path.append(str(folder))
        for name in ("init.py", "menu.py")[: 2 if self.GUI else 1]:
            path = Path(folder) / name
            self._read_in = path.parent
            exec(
                compile(path.read_text("utf-8"), str(path), "exec"),
                {"__file__": str(path), "__name__": "__main__"},
            )

    def press(self, node, name):
        """Press a button."""
        node[name].execute()

    def picture(self, node, frame, view=None):
        """Look at a node in the viewer."""
        from .pictures import evaluate

        return evaluate(node, frame, view or self._views[0])

    # --- Nuke's functions --------------------------------------------------------------------------------

    def root(self):
        return self._root

    def views(self):
        return list(self._views)

    def frame(self, f=None):
        if f is not None:
            self._root["frame"].setValue(f)
        return self._root["frame"].value()

    def thisNode(self):
        return self._this[-1][0] if self._this else self._root

    def thisKnob(self):
        return self._this[-1][1]

    def thisGroup(self):
        return self._inside[-1] if self._inside else self._root

    def toNode(self, s):
        expect(s, str, "name")
        found = self.thisGroup()
        for part in s.split("."):
            found = None if found is None else found.node(part)
        return found

    def allNodes(self, filter="", group=None, recurseGroups=False):
        check_thread()
        found = []
        for node in (group or self.thisGroup()).nodes():
            if not filter or node.Class() == filter:
                found.append(node)
            if recurseGroups and node.Class() == "Group":  # whether into LiveGroups too, nobody says
                found += self.allNodes(filter, node, True)
        return found

    def selectedNodes(self, filter=""):
        return [node for node in reversed(self._selected) if not filter or node.Class() == filter]

    def createNode(self, node, knobs="", inpanel=True):
        made = self._make(node, self.thisGroup())
        if self._selected and made.maxInputs():
            made.setInput(0, self._selected[-1])
        return made

    def delete(self, n):
        n._check()
        n._parent._children.remove(n)
        for other in n._parent._children:
            other._inputs = [None if source is n else source for source in other._inputs]
        n._alive = False

    def nodeCopy(self, s):
        expect(s, str, "file name")
        Path(s).write_text(script_text.save_some(list(self._selected)), "utf-8")

    def nodePaste(self, s):
        check_thread()
        group = self.thisGroup()
        script_text.Loader(self, Path(s).read_text("utf-8")).paste(group)
        return group._children[-1]

    def execute(self, nameOrNode, start, end, incr=1, views=None, continueOnError=False):
        check_thread()
        if self._executing:
            raise RuntimeError("I'm already executing something else")
        node = self.toNode(nameOrNode) if isinstance(nameOrNode, str) else nameOrNode
        if node.Class() != "Write" or node["disable"].value():
            raise RuntimeError(f"{node.fullName()} can't be executed")
        views = self.views() if views is None else views
        for view in views:
            if view not in self._views:
                raise RuntimeError(f"no view {view!r}")
        self._executing = True
        try:
            for call, kind in self._before:
                if kind in ("*", "Write"):
                    self._call(call, node, None)
            for frame in range(start, end + 1, incr):
                for view in views:
                    from .pictures import write

                    write(node, frame, view)
                    self.on_frame(node, frame, view)
        finally:
            self._executing = False

    def executing(self):
        return self._executing

    def executeInMainThread(self, call, args=(), kwargs=None):
        if not isinstance(args, tuple):
            args = (args,)
        with self._calls_lock:
            self._calls.append((call, args, kwargs or {}))
            self._calls_lock.notify()

    def addBeforeRender(self, call, args=(), kwargs=None, nodeClass="Write"):
        self._before.append((call, nodeClass))

    def removeBeforeRender(self, call, args=(), kwargs=None, nodeClass="Write"):
        self._before.remove((call, nodeClass))

    def addKnobChanged(self, call, args=(), kwargs=None, nodeClass="*", node=None):
        self._changed.append((call, nodeClass))

    def message(self, prompt):
        check_thread()
        expect(prompt, str, "message")
        self.messages.append(prompt)

    def ask(self, prompt):
        check_thread()
        raise AssertionError("nobody is there to answer: " + prompt)

    def tprint(self, *args, sep=" ", end="\n", file=None):
        self.printed.append(sep.join(map(str, args)))

    def menu(self, name):
        if not self.GUI:
            raise RuntimeError("there is no window")
        if name not in ("Nuke", "Nodes", "Pane", "Properties", "Viewer", "Node Graph", "Animation", "Axis"):
            raise ValueError(f"no menu {name!r}")
        return self._menus.setdefault(name, Menu(self, name))

    def pluginAddPath(self, args, addToSysPath=True):
        expect(args, str, "path")
        path = Path(args)
        if not path.is_absolute():
            path = self._read_in / path
        self._plugin_path.insert(0, str(path))

    def pluginPath(self):
        return list(self._plugin_path)

    def tcl(self, cmd, *args):
        expect(cmd, str, "command")
        if cmd != "subst" or args[:2] != ("-nobackslashes", "-novariables") or len(args) != 3:
            raise RuntimeError(f"the stand-in knows no such TCL: {cmd} {args}")
        text = args[2]
        while "[" in text:
            text = re.sub(r"\[([^\[\]]*)\]", self._tcl_command, text)
        return text

    def _tcl_command(self, match):
        words = match.group(1).split(None, 2)
        if words == ["value", "root.name"]:
            return self._root["name"].value()
        if words[:2] == ["file", "dirname"]:
            return words[2].rpartition("/")[0]
        raise RuntimeError(f"the stand-in knows no such TCL: {words}")

    def scriptSaveAs(self, filename=None, overwrite=-1):
        expect(filename, str, "file name")
        if Path(filename).exists() and overwrite != 1:
            raise RuntimeError(f"{filename} exists")
        self._root["name"].setValue(filename)
        Path(filename).write_text(script_text.save(self._root), "utf-8")

    def scriptSave(self, filename=None):
        self.scriptSaveAs(filename or self._root["name"].value(), 1)
        return True

    def scriptClear(self):
        self._clear()

    def scriptOpen(self, filename):
        check_thread()
        text = Path(filename).read_text("utf-8")
        self._clear()
        script_text.Loader(self, text).load()
        self._root["name"].setValue(str(filename))

    # --- between nodes and host --------------------------------------------------------------------------

    def _make(self, kind, group):
        maker = {"Group": nodes.Group, "LiveGroup": nodes.LiveGroup}.get(kind, nodes.Node)
        node = maker(self, kind, group)
        group._children.append(node)
        node.setName(kind.rstrip("0123456789") + "1")
        if kind == "Input":
            node["number"].setValue(sum(child.Class() == "Input" for child in group._children) - 1)
        return node

    def _select(self, node, selected):
        if node in self._selected:
            self._selected.remove(node)
        if selected:
            self._selected.append(node)

    def _notify(self, node, knob):
        """Tell of a changed knob; what the callbacks change themselves is not told again."""
        if self._notifying:
            return
        self._notifying = True
        try:
            for call, kind in self._changed:
                if kind in ("*", node.Class()):
                    # Nothing can be rendered from here either.
                    before, self._executing = self._executing, True
                    try:
                        self._call(call, node, knob)
                    finally:
                        self._executing = before
        finally:
            self._notifying = False

    def _call(self, call, node, knob):
        self._this.append((node, knob))
        try:
            call()
        finally:
            self._this.pop()

    def _run(self, command, node, knob):
        self._this.append((node, knob))
        try:
            exec(command, {"nuke": self.module, "__name__": "__main__"})
        finally:
            self._this.pop()

    def _progress_task(self):
        host, tasks = self, self.tasks

        class ProgressTask:
            """A progress meter; may be used from any thread."""

            def __init__(self, name):
                expect(name, str, "name")
                self._name, self._said, self._done, self._cancelled = name, [], [], False
                tasks.append(self)

            def setMessage(self, message):
                expect(message, str, "message")
                self._said.append(message)

            def setProgress(self, percent):
                if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
                    raise TypeError(f"progress: got {percent!r}")
                self._done.append(percent)

            def isCancelled(self):
                after = host.cancel_after
                return self._cancelled or (after is not None and len(self._done) >= after)

        return ProgressTask


class Menu:
    """A menu with commands."""

    def __init__(self, host, name):
        self._host, self._name, self._items = host, name, {}

    def addMenu(self, name, icon=None, tooltip=None, index=-1):
        return self._items.setdefault(name, Menu(self._host, name))

    def addCommand(
        self, name, command=None, shortcut=None, icon=None, tooltip=None, index=-1, readonly=False
    ):
        assert command is not None
        self._items[name] = MenuItem(self._host, command, icon)
        return self._items[name]

    def findItem(self, name):
        found = self
        for part in name.split("/"):
            found = found._items.get(part) if found is not None else None
        return found


class MenuItem:
    """One command."""

    def __init__(self, host, command, icon):
        self._host, self._command, self._icon = host, command, icon

    def icon(self):
        return self._icon

    def invoke(self):
        if callable(self._command):
            self._command()
        else:
            exec(self._command, {"nuke": self._host.module, "__name__": "__main__"})


class _Makers:
    """`nuke.nodes.Read(file="...")`."""

    def __init__(self, host):
        self._host = host

    def __getattr__(self, kind):
        def make(**values):
            node = self._host._make(kind, self._host.thisGroup())
            for name, value in values.items():
                if name == "name":
                    node.setName(value)
                else:
                    node[name].setValue(value)
            return node

        return make

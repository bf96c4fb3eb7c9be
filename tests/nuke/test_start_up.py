"""Starting up can't break Nuke; the node opens, saved and reopened, with the plug-in and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ADAPTER
from .standin import Host

HERE = Path(__file__).parent


def python(version: str) -> str:
    """The interpreter of a version; skips where there is none."""
    for candidate in sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*")
    ):
        if (candidate / "bin" / "python").is_file():
            return str(candidate / "bin" / "python")
    found = sys.executable if sys.version_info[:2] == tuple(map(int, version.split("."))) else None
    found = found or shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine")
    return found


@pytest.mark.parametrize(
    "version", ["3.7", "3.9", "3.10", "3.11"], ids=["nuke13.2", "nuke14", "nuke15", "nuke16"]
)
def test_it_starts_on_every_python_that_nuke_brings(version, tmp_path):
    done = subprocess.run(
        [python(version), str(HERE / "start_up.py"), str(ADAPTER), str(tmp_path / "script.nk")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(f"works on {version}"), done.stdout + done.stderr


def test_the_menu_makes_a_node_from_what_is_selected(host):
    nuke = host.module
    plate, roto = nuke.nodes.Read(name="plate"), nuke.nodes.Dot(name="roto")
    plate.setSelected(True)
    roto.setSelected(True)
    item = nuke.menu("Nodes").findItem("Cleanplate/VINet Inpaint")
    assert (ADAPTER / "icons" / item.icon()).read_bytes().startswith(b"\x89PNG")
    assert str(ADAPTER / "icons") in nuke.pluginPath()
    item.invoke()
    node = nuke.toNode("VINetInpaint1")
    assert (node.input(0), node.input(1)) == (plate, roto)
    assert nuke.selectedNodes() == [node]
    item.invoke()
    assert nuke.toNode("VINetInpaint2").input(0) is node


def test_what_fails_at_start_is_printed_and_nuke_starts(new_host, capsys, monkeypatch):
    host = new_host(adapter=False)
    monkeypatch.delattr(host.module, "addBeforeRender")
    host._menus = None
    host.start(ADAPTER)
    out, err = capsys.readouterr()
    assert "Cleanplate could not be set up; Nuke goes on" in out and "addBeforeRender" in err
    assert "Cleanplate's menu could not be added" in out


def test_every_knob_that_is_seen_explains_itself(host):
    import cleanplate_nuke

    node = cleanplate_nuke.create()
    shown = [knob for knob in node._user_knobs if knob.visible() and not knob.name().startswith("line_")]
    assert len(shown) > 20
    assert [knob.name() for knob in shown if not knob.tooltip() and knob.Class() != "Tab_Knob"] == []


def test_a_node_has_as_few_nodes_inside_as_indie_can_reach(host):
    import cleanplate_nuke

    assert len(cleanplate_nuke.create().nodes()) < 10


def test_a_script_opens_on_a_machine_without_the_plug_in(host, new_host, tmp_path):
    import cleanplate_nuke

    plate = host.module.nodes.Read(name="plate")
    node = cleanplate_nuke.create(plate)
    node["color"].setValue('a "quoted" $name [with] \\ and {braces}')
    node["show"].setValue("matte overlay")
    path = (tmp_path / "script.nk").as_posix()
    host.scriptSaveAs(path)
    bare = new_host(adapter=False)
    bare.scriptOpen(path)
    again = bare.toNode("VINetInpaint1")
    assert {child.name(): child.Class() for child in again.nodes()} == {
        child.name(): child.Class() for child in node.nodes()
    }
    assert [(knob.Class(), knob.name(), knob.tooltip(), knob.visible()) for knob in again._user_knobs] == [
        (knob.Class(), knob.name(), knob.tooltip(), knob.visible()) for knob in node._user_knobs
    ]
    assert {name: knob.value() for name, knob in again.knobs().items()} == {
        name: knob.value() for name, knob in node.knobs().items()
    }
    assert again.input(0) is bare.toNode("plate")
    assert again.node("shown")["which"].hasExpression()
    hide_adapter()
    bare.press(again, "do_render")
    assert len(bare.messages) == 1 and bare.messages[0].startswith(
        "Cleanplate is not installed on this machine"
    )


def hide_adapter() -> None:
    sys.path[:] = [path for path in sys.path if Path(path) != ADAPTER]


def test_until_it_is_rendered_the_plate_passes_with_a_window_and_a_farm_is_stopped(comp, new_host):
    node = comp.node()
    path = (comp.folder / "comp_v001.nk").as_posix()
    comp.host.scriptSaveAs(path, 1)
    picture = comp.host.picture(node, 1001)
    assert picture.size == (192, 128)
    farm = new_host(gui=False, adapter=False)
    farm.scriptOpen(path)
    with pytest.raises(RuntimeError, match="not_rendered_yet_press_Render"):
        farm.picture(farm.toNode("VINetInpaint1"), 1001)


def test_the_stand_in_is_strict(host: Host):
    nuke = host.module
    read = nuke.nodes.Read()
    for wrong in (
        lambda: nuke.nodes.Raed(),
        lambda: read["fiel"],
        lambda: read["first"].setValue("x"),
        lambda: read["on_error"].setValue("ignore"),
        lambda: read["file"].setValue("C:\\plates\\a.exr"),
        lambda: read["file"].setText("x"),
        lambda: nuke.executeMultiple([]),
        lambda: nuke.execute(read, 1, 2),
        lambda: nuke.nodes.Write()["datatype"],
        lambda: setattr(read, "file", "x"),
        lambda: setattr(read["file"], "value", "x"),
        lambda: nuke.allNodes(recursegroups=True),
    ):
        with pytest.raises((NameError, TypeError, AttributeError, RuntimeError, AssertionError, ValueError)):
            wrong()

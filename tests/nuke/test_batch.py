"""Without a window: `nuke -t` renders nodes in order; a Write finds or makes clean plates, or is stopped."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from plugin_core.cli import main
from plugin_core.images import read_plate

from .conftest import ADAPTER, Comp, write_shot
from .standin import Host

pytestmark = pytest.mark.slow

LOOK = {"quality": "draft", "grow": 2, "device": "cpu", "range": "custom", "first": 1001, "last": 1003}


@pytest.fixture
def script(comp) -> Path:
    """A saved script in which an inpaint node feeds, through a group, one in another group.

    Plate -> VINetInpaint1 -> Dot -> Group1 (Input -> VINetInpaint1 -> Output) -> Write1
    """
    import cleanplate_nuke

    nuke = comp.host.module
    first = comp.node(**LOOK)
    dot = nuke.nodes.Dot()
    dot.setInput(0, first)
    group = nuke.nodes.Group()
    with group:
        plate, matte = nuke.nodes.Input(), nuke.nodes.Input()
        second = cleanplate_nuke.create(plate, matte)
        nuke.nodes.Output().setInput(0, second)
    for name, value in LOOK.items():
        second[name].setValue(value)
    group.setInput(0, dot)
    group.setInput(1, nuke.toNode("matte"))
    write = nuke.nodes.Write()
    write.setInput(0, group)
    for name, value in {
        "file_type": "exr",
        "channels": "all",
        "raw": True,
        "create_directories": True,
        "file": (comp.folder / "final" / "final.%04d.exr").as_posix(),
    }.items():
        write[name].setValue(value)
    path = comp.folder / "comp_v001.nk"
    comp.host.scriptSaveAs(path.as_posix(), 1)
    return path


@pytest.fixture
def terminal(script, new_host) -> Host:
    """`nuke -t`, with that script open."""
    host = new_host(gui=False)
    host.scriptOpen(script.as_posix())
    return host


def batch(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", [str(ADAPTER / "cleanplate_batch.py"), *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ADAPTER / "cleanplate_batch.py"), run_name="__main__")
    return ended.value.code


def final(script: Path) -> list[Path]:
    return sorted((script.parent / "final").glob("*.exr"))


def test_nodes_are_rendered_in_the_order_they_need_each_other(script, new_host, monkeypatch, capsys):
    new_host(gui=False)
    assert batch(monkeypatch, script.as_posix(), "--list") == 0
    assert capsys.readouterr().out.split() == ["VINetInpaint1", "Group1.VINetInpaint1"]
    assert batch(monkeypatch, script.as_posix(), "--save") == 0
    out = capsys.readouterr().out
    assert out.index("Cleanplate: VINetInpaint1\n") < out.index("Cleanplate: Group1.VINetInpaint1\n")
    assert "VINetInpaint1: 3/3 frame 1003, " in out
    folder = script.parent / "cleanplate" / "comp"
    assert {path.name for path in folder.iterdir()} == {"VINetInpaint1", "Group1_VINetInpaint1"}
    # The second was filled from what the first had filled.
    one = read_plate(folder / "VINetInpaint1" / "v001" / "clean.1002.exr")
    other = read_plate(folder / "Group1_VINetInpaint1" / "v001" / "plate" / "plate.1002.exr")
    np.testing.assert_array_equal(one.rgb, other.rgb)
    # The saved script has them loaded: it renders anywhere, with the plug-in or without.
    farm = new_host(gui=False, adapter=False)
    farm.scriptOpen(script.as_posix())
    farm.execute("Write1", 1001, 1003)
    assert len(final(script)) == 3
    # Once more: nothing is left to do.
    new_host(gui=False)
    assert batch(monkeypatch, script.as_posix()) == 0
    assert capsys.readouterr().out.count("Nothing to do: every frame is there") == 2, "each is said once"


def test_only_the_nodes_that_are_asked_for_and_what_they_need(script, new_host, monkeypatch, capsys):
    new_host(gui=False)
    assert batch(monkeypatch, script.as_posix(), "--node", "Nobody1") == 1
    assert "The script has no inpaint node 'Nobody1'; it has VINetInpaint1, Group1.VINetInpaint1" in (
        capsys.readouterr().err
    )
    assert batch(monkeypatch, script.as_posix(), "--node", "VINetInpaint1") == 0
    assert [path.name for path in (script.parent / "cleanplate" / "comp").iterdir()] == ["VINetInpaint1"]


def test_what_fails_ends_the_batch_with_one_sentence(terminal, script, monkeypatch, capsys):
    terminal.toNode("VINetInpaint1")["model"].setValue("nobody")
    terminal.scriptSaveAs(script.as_posix(), 1)
    assert batch(monkeypatch, script.as_posix()) == 1
    err = capsys.readouterr().err
    assert err.startswith("cleanplate: ") and "nobody" in err and "Traceback" not in err
    assert not (script.parent / "cleanplate" / "comp" / "Group1_VINetInpaint1").exists()


def test_a_td_renders_in_ten_lines(tmp_path, new_host):
    host = new_host(gui=False)
    comp = Comp(tmp_path, host)
    write_shot(comp)
    import cleanplate_nuke

    node = cleanplate_nuke.create(plate=comp.read("plate"), matte=comp.read("matte"))
    for name, value in {**LOOK, "folder": (tmp_path / "out").as_posix()}.items():
        node[name].setValue(value)
    assert cleanplate_nuke.render(node) is None
    assert node["has_result"].value() and len(list((tmp_path / "out" / "v001").glob("clean.*.exr"))) == 3


def test_a_render_of_an_unfinished_node_is_stopped(terminal, script):
    with pytest.raises(RuntimeError, match="VINetInpaint1 has no clean plate for frames 1001-1003"):
        terminal.execute("Write1", 1001, 1003)
    assert final(script) == []


def test_a_render_finds_the_clean_plate_though_the_script_does_not_know_it(
    terminal, script, new_host, monkeypatch
):
    assert batch(monkeypatch, script.as_posix(), "--node", "VINetInpaint1") == 0  # not saved
    farm = new_host(gui=False)
    farm.scriptOpen(script.as_posix())
    farm.toNode("Group1")["disable"].setValue(True)
    farm.execute("Write1", 1001, 1003)
    assert len(final(script)) == 3


def test_a_render_makes_the_clean_plate_where_plate_and_matte_are_there(terminal, script):
    import cleanplate_nuke

    terminal.toNode("Group1")["disable"].setValue(True)
    cleanplate_nuke.render_all()
    folder = script.parent / "cleanplate" / "comp" / "VINetInpaint1" / "v001"
    before = (folder / "clean.1003.exr").read_bytes()
    (folder / "clean.1003.exr").unlink()
    terminal.execute("Write1", 1001, 1003)
    assert (folder / "clean.1003.exr").read_bytes() == before
    assert len(final(script)) == 3


def test_other_settings_since_are_told_but_what_was_rendered_is_used(terminal, script):
    import cleanplate_nuke

    terminal.toNode("Group1")["disable"].setValue(True)
    cleanplate_nuke.render_all()
    terminal.toNode("VINetInpaint1")["grow"].setValue(9)
    terminal.execute("Write1", 1001, 1003)
    assert any("used as it was rendered, although grow was 2, now is 9" in line for line in terminal.printed)


def test_a_longer_range_than_was_rendered_stops_a_render(terminal, script):
    import cleanplate_nuke

    cleanplate_nuke.render_all(["VINetInpaint1"])
    terminal.toNode("Group1")["disable"].setValue(True)
    terminal.execute("Write1", 1001, 1003)
    terminal.toNode("VINetInpaint1")["last"].setValue(1004)
    with pytest.raises(RuntimeError, match="VINetInpaint1 has no clean plate for frames 1001-1004"):
        terminal.execute("Write1", 1001, 1003)


def test_a_node_that_shows_something_else_stops_a_render(terminal, script):
    terminal.toNode("VINetInpaint1")["show"].setValue("matte overlay")
    with pytest.raises(
        RuntimeError, match="VINetInpaint1 shows 'matte overlay'; set 'show' to 'result' to render"
    ):
        terminal.execute("Write1", 1001, 1003)


def test_a_disabled_node_is_left_alone_and_so_is_all_by_the_switch(terminal, script, monkeypatch):
    monkeypatch.setenv("CLEANPLATE_BEFORE_RENDER", "off")
    with pytest.raises(RuntimeError, match="not_rendered_yet_press_Render_in_the_inpaint_node"):
        terminal.execute("Write1", 1001, 1003)
    monkeypatch.delenv("CLEANPLATE_BEFORE_RENDER")
    for name in ("VINetInpaint1", "Group1.VINetInpaint1"):
        terminal.toNode(name)["disable"].setValue(True)
    terminal.execute("Write1", 1001, 1003)
    assert len(final(script)) == 3


def test_with_a_window_an_unfinished_node_asks_to_be_rendered(comp, script):
    with pytest.raises(RuntimeError, match="Press Render in the node"):
        comp.host.execute("Write1", 1001, 1003)


def test_nothing_is_executed_from_inside_a_render_or_a_knob(comp, script):
    """The stand-in refuses it, as Nuke does; the node's callbacks have to live with that."""
    nuke = comp.host.module
    seen = []

    def nested() -> None:
        with pytest.raises(RuntimeError, match="I'm already executing something else"):
            nuke.execute("Write1", 1001, 1001)
        seen.append(nuke.thisNode().name())

    nuke.addKnobChanged(nested, nodeClass="Group")
    nuke.toNode("VINetInpaint1")["grow"].setValue(3)
    nuke.addBeforeRender(nested, nodeClass="Write")
    for name in ("VINetInpaint1", "Group1.VINetInpaint1"):
        nuke.toNode(name)["disable"].setValue(True)
    nuke.execute("Write1", 1001, 1001)
    assert seen[0] == "VINetInpaint1" and seen[-1] == "Write1"


def test_send_to_farm_writes_the_shots_and_calls_the_core(comp, monkeypatch):
    log = comp.folder / "called.json"
    fake = comp.folder / "core"
    fake.write_text(
        f"#!{sys.executable}\nimport json, sys\nopen({str(log)!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
    )
    fake.chmod(0o755)
    node = comp.node(**{**LOOK, "command": fake.as_posix(), "engine": "slurm"})
    comp.host.press(node, "do_farm")
    called = json.loads(log.read_text())
    assert called[:2] == ["farm", "slurm"] and called[3] == "--output"
    assert called[5:] == ["--name", "comp_v001 VINetInpaint1"]
    (shot,) = json.loads(Path(called[2]).read_text("utf-8"))["shots"]
    assert shot["name"] == "VINetInpaint1" and shot["frames"] == "1001-1003" and shot["grow"] == 2
    assert Path(shot["plate"].replace("%04d", "1002")).is_file()
    assert node["status"].value().startswith("The slurm job is written: ")
    node["submit"].setValue(True)
    node["device"].setValue("cuda")
    comp.host.press(node, "do_farm")
    assert json.loads(log.read_text())[7:] == ["--gpu", "--submit"]
    assert "The slurm job was handed in" in comp.host.messages[-1]


def test_what_the_farm_has_filled_is_found_by_render(comp):
    node = comp.node(**LOOK)
    comp.host.press(node, "do_farm")
    (message,) = comp.host.messages
    assert message.startswith("The openjd job is written: ") and "1 shots, 1 tasks" in message
    folder = comp.folder / "cleanplate" / "comp" / "VINetInpaint1" / "v001"
    assert (folder / "farm" / "openjd" / "template.yaml").is_file()
    (job,) = (folder / "farm" / "openjd").rglob("*.json")
    assert main(["render", "--job", str(job), "--resume", "--progress", "none"]) == 0
    comp.render(node)
    assert node["status"].value().startswith("Nothing to do: every frame is there")
    assert node["has_result"].value()
    comp.host.press(node, "do_farm")
    assert len(comp.host.messages) == 2, "the job is written once more"
    node["submit"].setValue(True)
    comp.host.press(node, "do_farm")
    assert "it would run on this machine" in comp.host.messages[2]


def test_the_list_of_shots_is_one_that_batch_takes(comp, capsys):
    from cleanplate_nuke import farm

    comp.host.root().addView("right")
    write_shot(comp, "right")
    node = comp.node(**LOOK)
    with pytest.raises(RuntimeError):
        farm.send(node, "no such engine")
    (shots,) = comp.folder.rglob("shots.json")
    assert main(["batch", str(shots), "--check"]) == 0
    assert [shot["name"] for shot in json.loads(shots.read_text("utf-8"))["shots"]] == [
        "VINetInpaint1_main",
        "VINetInpaint1_right",
    ]


def test_send_to_farm_with_a_core_that_knows_no_farms_says_so(comp):
    fake = comp.folder / "core"
    refusal = "cleanplate: argument COMMAND: invalid choice: 'farm'"
    fake.write_text(f"#!{sys.executable}\nimport sys\nsys.exit({refusal!r})\n")
    fake.chmod(0o755)
    node = comp.node(**LOOK, command=fake.as_posix())
    comp.host.press(node, "do_farm")
    assert "The installed Cleanplate has no 'farm' command; update it" in comp.host.messages[0]


def test_reveal_opens_the_folder(comp, monkeypatch):
    from cleanplate_nuke import buttons

    opened = []
    monkeypatch.setattr(buttons.subprocess, "Popen", opened.append)
    node = comp.node()
    comp.host.press(node, "do_reveal")
    assert "is not there yet; press Render first" in comp.host.messages[0]
    folder = comp.folder / "cleanplate" / "comp" / "VINetInpaint1" / "v001"
    folder.mkdir(parents=True)
    comp.host.press(node, "do_reveal")
    assert opened == [["xdg-open", str(folder)]]
    comp.host.press(node, "do_help")
    assert comp.host.messages[1].startswith("VINet Inpaint fills the matted part of a plate.")

"""Where scripts take a node: groups and LiveGroups, copies, expressions, the panel; what it costs idle."""

from __future__ import annotations

import functools

from plugin_core.review.sources import COLORS

from .standin import nodes
from .test_core import PREAMBLE


def test_a_copied_node_has_files_of_its_own(comp):
    nuke = comp.host.module
    node = comp.node()
    references = comp.folder / "cleanplate" / "comp" / "VINetInpaint1" / "v001" / "reference"
    references.mkdir(parents=True)
    (references / "ref.1003.exr").write_bytes(b"painted")
    node["reference"].setValue(references.as_posix())
    node.setSelected(True)
    nuke.nodeCopy((comp.folder / "clipboard").as_posix())
    copy = nuke.nodePaste((comp.folder / "clipboard").as_posix())
    assert copy.name() == "VINetInpaint2" and copy["device"].value() == node["device"].value()
    copy.setInput(0, node.input(0))
    copy.setInput(1, node.input(1))
    own = references.parents[1].parent / "VINetInpaint2" / "v001"
    own.mkdir(parents=True)
    (own / "clean.1005.exr").touch()
    comp.host.frame(1005)
    comp.host.press(copy, "do_reference")
    assert comp.host.messages == []
    assert copy["reference"].value() == (own / "reference").as_posix()
    assert (own / "reference" / "ref.1003.exr").read_bytes() == b"painted", "it goes on from what was painted"
    assert nuke.toNode("Write1")["file"].value().startswith(own.as_posix())
    for each in (node, copy):
        each["folder"].setValue((comp.folder / "same").as_posix())
    comp.host.press(copy, "do_render")
    assert "VINetInpaint2 and VINetInpaint1 write into the same folder" in comp.host.messages.pop()


def test_a_published_live_group_is_not_rendered_in_but_its_nodes_are_known(comp):
    from cleanplate_nuke import create, order

    around = comp.host.module.nodes.LiveGroup(name="shared")
    with around:
        inside = create()
    assert order.all_inpaints() == [inside]
    around._published = True
    comp.host.press(inside, "do_render")
    assert "is in the LiveGroup shared, which is published" in comp.host.messages.pop()
    around._published = False
    comp.host.press(inside, "do_render")
    assert "shared.VINetInpaint1 has no plate" in comp.host.messages.pop()


def test_a_frame_range_may_be_an_expression(comp):
    from cleanplate_nuke.request import read_request

    comp.host.root()["first_frame"].setValue(1000)
    node = comp.node(range="custom")
    node["first"].setExpression("root.first_frame+2")
    node["last"].setExpression("frame+4")
    comp.host.frame(1001)
    request = read_request(node)
    assert (request.first, request.last) == (1002, 1005)


def test_a_node_of_0_3_gets_what_it_lacks(comp):
    from cleanplate_nuke.group import convert

    node = comp.node()
    node["cleanplate_node"].setValue(2)
    for name in ("mode", "show"):
        node[name].setValues(node[name].values()[: {"mode": 2, "show": 4}[name]])
    node["show"].setValue("difference")
    for index in (4, 5):
        node.node("shown").setInput(index, None)
    convert(node)
    assert node["show"].value() == "difference" and node["show"].values()[4:] == ["source", "confidence"]
    assert node["mode"].values()[2] == "find film damage"
    assert node.node("shown").input(5) is node.node("result")


def test_no_thumbnail_is_drawn(comp):
    assert [inside.name() for inside in comp.node().nodes() if inside["postage_stamp"].value()] == []


def test_idle_callbacks_cost_next_to_nothing(comp, monkeypatch):
    """Counted in questions to Nuke: a clock would tell of the machine."""
    nuke = comp.host.module
    other, crop = nuke.nodes.Group(name="somebody_elses"), nuke.nodes.Crop()
    other.addKnob(nuke.Double_Knob("size", "size"))
    ours = comp.node()
    asked, knob = [], nodes.Node.knob

    def counted(node, *given):
        asked.append(given[0])
        return knob(node, *given)

    monkeypatch.setattr(nodes.Node, "knob", counted)

    def cost(change) -> int:
        asked.clear()
        change()
        return len(asked)

    def set_to(node, name, value):
        return functools.partial(node._knobs[name].setValue, value)

    assert cost(lambda: comp.host.root()._knobs["frame"].setValue(1004)) == 0, "nothing hears the playhead"
    assert cost(set_to(crop, "reformat", True)) == 0, "nor other classes of nodes"
    assert cost(set_to(other, "size", 3.0)) == 1, "one look at a foreign group"
    assert cost(set_to(ours, "label", "moved")) == 1, "the same where the picture does not change"
    assert cost(set_to(ours, "grow", 5)) <= 2, "nothing was rendered, there is nothing to compare"


def test_the_panel_lists_the_nodes_and_renders_them_in_turn(comp):
    core = comp.folder / "core"
    body = "for number in range(1, 10):\n    frame(number)\nsys.exit(0 if 'Inpaint1' in sys.argv[3] else 5)\n"
    core.write_text(PREAMBLE + body)
    core.chmod(0o755)
    first = comp.node(command=core.as_posix())
    comp.host.module.menu("Pane").findItem("Cleanplate").invoke()
    (panel,) = comp.host.panes
    assert panel.told.value() == "VINetInpaint1: not rendered yet"
    second = comp.node(command=core.as_posix())
    panel.knobChanged(panel.buttons["refresh"])
    assert panel.node.values() == ["VINetInpaint1", "VINetInpaint2"]
    from cleanplate_nuke import flow

    panel.knobChanged(panel.buttons["render_all"])
    assert list(flow._running) == ["VINetInpaint1"], "one at a time"
    comp.host.press(first, "do_check")
    assert comp.host.messages.pop().startswith("VINetInpaint1: something is rendering")
    comp.host.pump(lambda: second["status"].value().startswith("Failed"), 20)
    assert first["status"].value().startswith("Filled frames 1001-1009")
    first["told_frame"].setValue("1006")
    panel.knobChanged(panel.buttons["show_node"])
    assert comp.host.frame() == 1006
    panel.knobChanged(panel.buttons["stop"])


def test_source_is_shown_in_the_review_pages_colors(host):
    from cleanplate_nuke import sources

    shown = [COLORS[name].lstrip("#") for name in ("found", "referenced", "painted", "guessed", "left")]
    assert list(sources.COLORS.values()) == shown

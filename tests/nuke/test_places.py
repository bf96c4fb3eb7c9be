"""Where a node's files lie."""

from __future__ import annotations

import pytest


@pytest.fixture
def node(host):
    import cleanplate_nuke

    return cleanplate_nuke.create()


def folder_of(node) -> str:
    from cleanplate_nuke import places

    return places.version_folder(node)


@pytest.mark.parametrize(
    ("script", "folder"),
    [
        ("/shots/sh010/comp_v012.nk", "/shots/sh010/cleanplate/comp/VINetInpaint1/v001"),
        ("/shots/sh010/sh010.comp.v3.nk", "/shots/sh010/cleanplate/sh010.comp/VINetInpaint1/v001"),
        ("/shots/sh010/v012.nk", "/shots/sh010/cleanplate/script/VINetInpaint1/v001"),
        ("C:/shots/Zoë 1/comp.nk", "C:/shots/Zoë 1/cleanplate/comp/VINetInpaint1/v001"),
    ],
)
def test_beside_the_script_by_its_name_without_the_version(host, node, script, folder):
    host.root()["name"].setValue(script)
    assert folder_of(node) == folder


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("/plates/clean", "/plates/clean/v003"),
        ("/plates/clean/", "/plates/clean/v003"),
        ("renders", "/shots/renders/v003"),
        ("[file dirname [value root.name]]/renders", "/shots/renders/v003"),
    ],
)
def test_the_folder_that_is_given(host, node, given, folder):
    host.root()["name"].setValue("/shots/comp.nk")
    node["folder"].setValue(given)
    node["version"].setValue(3)
    assert folder_of(node) == folder


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("/plates/clean", "/plates/clean/v001/%V"),
        ("/plates/%V/clean", "/plates/%V/clean/v001"),
        ("/plates/%v", "/plates/%V/v001"),
    ],
)
def test_views_have_folders_of_their_own(host, node, given, folder):
    host.root().addView("right")
    node["folder"].setValue(given)
    assert folder_of(node) == folder


def test_an_unsaved_script_has_a_folder_of_this_session(host, node, monkeypatch):
    monkeypatch.setenv("NUKE_TEMP_DIR", "/scratch/nuke/")
    assert folder_of(node).startswith("/scratch/nuke/cleanplate-")
    node["folder"].setValue("renders")
    assert folder_of(node) == "/scratch/nuke/renders/v001"


def test_nodes_in_groups_have_folders_of_their_own(host):
    import cleanplate_nuke

    group = host.module.nodes.Group()
    with group:
        inside = cleanplate_nuke.create()
    host.root()["name"].setValue("/shots/comp.nk")
    assert folder_of(inside) == "/shots/cleanplate/comp/Group1_VINetInpaint1/v001"
    assert folder_of(cleanplate_nuke.create()) == "/shots/cleanplate/comp/VINetInpaint1/v001"


@pytest.mark.parametrize("given", ["/plates/[new]", "/plates/$HOME", "/plates/new]"])
def test_what_nuke_would_take_for_tcl_is_refused(node, given):
    from cleanplate_nuke import InpaintError

    node["folder"].setValue(given)
    with pytest.raises(InpaintError, match="TCL"):
        folder_of(node)


def test_a_node_with_a_wrong_folder_does_not_stop_the_others(comp):
    import cleanplate_nuke
    from cleanplate_nuke import request

    node = comp.node()
    cleanplate_nuke.create()["folder"].setValue("/plates/[new]")
    assert request.read_request(node).name == "VINetInpaint1"

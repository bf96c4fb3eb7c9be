"""Which color space `auto` is, and by which OpenColorIO configuration."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def node(host):
    import cleanplate_nuke

    return cleanplate_nuke.create()


def managed(host, **knobs) -> None:
    for name, value in {"colorManagement": "OCIO", **knobs}.items():
        host.root()[name].setValue(value)


def test_nukes_own_management_is_linear_rec709(node):
    from cleanplate_nuke.color import color_of

    assert color_of(node) == ("linear", "", "Nuke's working space")


@pytest.mark.parametrize(
    ("working", "space"),
    [
        ("ACES - ACEScg", "ACES - ACEScg"),
        ("scene_linear", "scene_linear"),
        ("scene_linear (ACES - ACEScg)", "ACES - ACEScg"),
        ("compositing_linear (Linear Rec.709 (sRGB))", "Linear Rec.709 (sRGB)"),
        ("Linear Rec.709 (sRGB)", "Linear Rec.709 (sRGB)"),
    ],
)
def test_ocio_gives_the_working_space(host, node, working, space):
    from cleanplate_nuke.color import color_of

    managed(host, OCIO_config="custom", customOCIOConfigPath="/studio/config.ocio", workingSpaceLUT=working)
    assert color_of(node)[:2] == (space, "/studio/config.ocio")


def test_a_configuration_that_comes_with_nuke_is_found(host, node, tmp_path, monkeypatch):
    from cleanplate_nuke.color import color_of

    config = tmp_path / "plugins" / "OCIOConfigs" / "configs" / "aces_1.2" / "config.ocio"
    config.parent.mkdir(parents=True)
    config.touch()
    monkeypatch.setattr(host.module, "EXE_PATH", str(tmp_path / "Nuke16.0"))
    managed(host, OCIO_config="aces_1.2", workingSpaceLUT="ACES - ACEScg")
    assert Path(color_of(node).config) == config
    monkeypatch.setenv("OCIO", "/studio/config.ocio")
    assert color_of(node).config == "", "the core sees $OCIO itself"


def test_a_name_on_the_node_goes_before_all(host, node):
    from cleanplate_nuke.color import color_of

    managed(
        host,
        OCIO_config="custom",
        customOCIOConfigPath="/studio/config.ocio",
        workingSpaceLUT="ACES - ACEScg",
    )
    node["color"].setValue("ACEScct")
    assert color_of(node)[:2] == ("ACEScct", "/studio/config.ocio")
    node["color"].setValue(" Auto ")
    assert color_of(node).space == "ACES - ACEScg"

"""Where an adapter is found, however Cleanplate was installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from plugin_core.errors import InputError
from plugin_core.install.change import adapter_folder

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("host", ["nuke", "blender", "davinci_fusion"])
def test_a_checkout_that_was_not_installed_has_its_adapters(monkeypatch, host):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert adapter_folder(host) == ROOT / host


def test_a_host_that_is_not_there_is_told(monkeypatch):
    with pytest.raises(InputError, match="has no maya adapter"):
        adapter_folder("maya")

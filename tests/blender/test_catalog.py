"""What the extension says of the core's settings is what the core declares."""

from __future__ import annotations

import json
import sys
import zipfile

import pytest

from plugin_core.job.catalog import catalog
from plugin_core.job.settings import QUALITIES

from .conftest import SOURCE

sys.path.insert(0, str(SOURCE.parent))

from cleanplate_blender.catalog import FIELDS, choice, described, items, presets, ranged


def test_the_extension_has_the_catalog():
    assert catalog()["fields"] == FIELDS


@pytest.mark.installed
def test_the_zip_has_it_too(extension_zip):
    with zipfile.ZipFile(extension_zip) as archive:
        names = [name for name in archive.namelist() if name.endswith("settings.json")]
        assert len(names) == 1 and json.loads(archive.read(names[0])) == catalog()


def test_texts_are_written_as_blender_writes_them():
    assert described("matte_invert") == {
        "name": "Invert Matte",
        "description": "Fill where the matte is black instead",
    }
    assert ranged("grow") == {"min": -512, "max": 512, "soft_min": -50, "soft_max": 50}


def test_the_qualities_keep_their_places():
    """A .blend holds the number of an item, so that a new one goes to the end."""
    assert [item for item, _, _ in items("quality")] == ["DRAFT", "STANDARD", "HIGH"]
    assert [choice(item) for item, _, _ in items("quality")] == list(QUALITIES)


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_quality_is_the_cores(quality):
    assert presets(quality) == QUALITIES[quality]

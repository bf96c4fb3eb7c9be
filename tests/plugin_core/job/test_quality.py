"""The quality presets: what they set, what wins over them, and that nothing depends on their name."""

from __future__ import annotations

import pytest

from plugin_core.job.job import Job
from plugin_core.job.settings import PROPAGATE_FRAMES, QUALITIES, Settings

SHOT = {"plate": "p.####.exr", "matte": "m.####.exr", "output": "o.####.exr"}

BEFORE_QUALITIES = {
    "grow": 0,
    "feather": 0,
    "feather_side": "outside",
    "matte_channel": "auto",
    "matte_invert": False,
    "matte_threshold": 0.05,
    "matte_soft": False,
    "matte_union": 0,
    "propagate": 48,
    "grain": "off",
    "border_match": "auto",
    "warmup": 0,
    "region": "auto",
    "context": None,
    "working_size": None,
    "exposure": "auto",
    "pre_roll": None,
}
"""All that a state of 0.1.0 depends on at its defaults: these names and values stand in states on disk."""


def test_standard_is_what_was_there_before():
    assert Settings().quality == "standard"
    effective = Settings(grow=0, feather=0).effective()
    assert {name: effective[name] for name in BEFORE_QUALITIES} == BEFORE_QUALITIES
    assert "quality" not in effective


@pytest.mark.parametrize(
    ("quality", "size", "frames"),
    [("draft", 256, 0), ("standard", None, PROPAGATE_FRAMES), ("high", 1536, PROPAGATE_FRAMES)],
)
def test_a_quality_is_what_the_hosts_made_of_it(quality, size, frames):
    settings = Settings(quality=quality)
    assert (settings.working_size, settings.propagate) == (size, frames)
    assert settings.effective() == Settings(working_size=size, propagate=frames).effective()


@pytest.mark.parametrize("quality", QUALITIES)
def test_what_is_given_wins_over_the_preset(quality):
    settings = Settings(quality=quality, working_size=128, propagate=7)
    assert (settings.working_size, settings.propagate) == (128, 7)
    assert Settings(quality=quality, working_size=None).working_size is None
    assert Settings(quality=quality, propagate="on").propagate == PROPAGATE_FRAMES


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_job_written_out_says_what_was_asked_and_means_the_same(quality):
    job = Job(shot=SHOT, settings={"quality": quality, "grow": 3})
    assert job.model_dump(exclude_unset=True)["settings"] == {"quality": quality, "grow": 3}
    assert Job(**job.model_dump(mode="json", exclude_unset=True)).settings == job.settings
    assert Job(**job.model_dump(mode="json")).settings == job.settings


def test_every_preset_sets_fields_that_are_there_and_in_range():
    for sets in QUALITIES.values():
        assert Settings(**sets).model_fields_set == set(sets)

"""The report for people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin_core.probe.report import Problem
from plugin_core.probe.text import duration, lines_of, plot
from plugin_core.render.coverage import Coverage

from .test_warnings import GOOD, PICTURE

SIZES = {"120x80 at -10,-4": "1001-1003", "100x72 at 0,0": "1004-1005"}


def test_windows_channels_and_sizes_are_told():
    told = "\n".join(lines_of(replace(GOOD, picture=replace(PICTURE, sizes=SIZES), color="ACEScg (studio)")))
    assert "100x72, pixels 120x80 at -10,-4, pixel aspect 2, openexr half, float" in told
    assert "fills R, G, B, keeps A, Z; 2 parts; zip" in told
    assert "100x72 at 0,0 on frames 1004-1005" in told
    assert "ACEScg (studio)" in told
    assert "fills 10.0 % to 14.0 % of the picture" in told
    assert "1001-1005 (5); beside the range: 8 before, 8 after" in told
    assert "none given; suspected: none" in told
    assert "512x512 at 0,0 on frames 1001-1005" in told


def test_a_problem_comes_last():
    stopped = replace(GOOD, problem=Problem("Plate p lacks frames 1003.", 3))
    assert list(lines_of(stopped))[-1] == "stops:   Plate p lacks frames 1003."


def test_the_plot_shows_the_most_of_each_column_and_ends_at_the_last_frame():
    shares = [0.0] * 100 + [0.25] + [0.0] * 60 + [0.5] * 79
    bars, axis = plot(tuple(Coverage(1 + at, share) for at, share in enumerate(shares)), " 12345678")
    assert bars.startswith("    50.0 % |") and len(bars) == len("    50.0 % |") + 60 + 1
    drawn = bars.split("|")[1]
    assert drawn[25] == "4" and drawn[24] == drawn[26] == " " and drawn[-1] == "8"
    assert axis.split() == ["1", "240"] and len(axis) == len(bars) - 1


@pytest.mark.parametrize(
    ("seconds", "told"), [(45.2, "45 s"), (90, "2 min"), (3600, "60 min"), (12000, "3 h 20 min")]
)
def test_times_are_for_people(seconds: float, told: str):
    assert duration(seconds) == told


def test_without_block_characters_it_is_plain_ascii():
    assert "\n".join(lines_of(GOOD, plain=True)).isascii()

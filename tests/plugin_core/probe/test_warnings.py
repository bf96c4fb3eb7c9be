"""Every warning is given when it is due, says where, and is not given for a good shot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin_core.probe.report import Cost, Crop, Frames, Output, Picture, Report
from plugin_core.probe.warnings import warnings_of
from plugin_core.render.coverage import Coverage

ALL_EDGES = ("left", "top", "right", "bottom")


def mattes(*shares: float, first: int = 1001, edges: tuple[str, ...] = ()) -> tuple[Coverage, ...]:
    return tuple(Coverage(first + at, share, edges if share else ()) for at, share in enumerate(shares))


PICTURE = Picture(
    format="openexr",
    width=120,
    height=80,
    data_window=(-10, -4, 120, 80),
    display_window=(0, 0, 100, 72),
    pixel_aspect=2.0,
    channels=("R", "G", "B", "A", "Z"),
    types=("half", "half", "half", "half", "float"),
    filled=("R", "G", "B"),
    parts=2,
    compression="zip",
)

GOOD = Report(
    plate="p.####.exr",
    matte="m.####.exr",
    frames=Frames(1001, 1005, 8, 8, "993-1013", "993-1013"),
    mattes=mattes(0.1, 0.12, 0.14, 0.13, 0.1),
    suspected_cuts=(),
    crops=(Crop(1001, 1005, (0, 0, 512, 512), (512, 512), moves=False),),
    output=Output("o.####.exr", lossy=False, there="", bytes_needed=1 << 20, bytes_free=1 << 30),
    cost=Cost("cpu", 1.0, 5.0, 1 << 30, 16 << 30),
)


def output(**changed: object) -> Report:
    assert GOOD.output is not None
    return replace(GOOD, output=replace(GOOD.output, **changed))


def test_a_good_shot_gives_no_warning():
    assert warnings_of(GOOD) == ()


def test_nothing_known_gives_no_warning():
    assert warnings_of(Report(plate="p", matte="m")) == ()


@pytest.mark.parametrize(
    ("report", "code", "told"),
    [
        (
            replace(GOOD, picture=replace(PICTURE, sizes={"9x9 at 1,1": "1001-1003", "8x9 at 1,1": "1004"})),
            "plate_size_changes",
            "9x9 at 1,1 on frames 1001-1003, 8x9 at 1,1 on frames 1004",
        ),
        (replace(GOOD, mattes=mattes(0.1, 0.12, 0.6, 0.7, 0.3)), "matte_large", "on frames 1003-1004"),
        (replace(GOOD, mattes=mattes(0.4, 0.45, 0.5, 1.0, 0.4)), "matte_everything", "on frame 1004"),
        (replace(GOOD, mattes=mattes(*[0.8] * 5, edges=ALL_EDGES)), "matte_inverted", "--matte-invert"),
        (replace(GOOD, mattes=mattes(*[0.0] * 5)), "matte_never", "on every frame"),
        (replace(GOOD, mattes=mattes(0, 0, 0.1, 0.1, 0.1)), "matte_empty", "on frames 1001-1002"),
        (replace(GOOD, mattes=mattes(0.1, 0.1, 0, 0.1, 0.1)), "matte_flickers", "on frame 1003"),
        (replace(GOOD, mattes=mattes(0.1, 0.1, 0.01, 0.1, 0.1)), "matte_jumps", "on frames 1003-1004"),
        (
            replace(GOOD, mattes=mattes(*[0.1] * 5, edges=("left", "top"))),
            "matte_at_edge",
            "left and top edge",
        ),
        (replace(GOOD, suspected_cuts=(1003,), cuts=(1002,)), "cut_suspected", "--cuts 1002,1003"),
        (
            replace(GOOD, frames=Frames(1001, 1005, 2, 8, "", "")),
            "handles_missing",
            "(2 before): 6 on each side",
        ),
        (output(lossy=True), "output_lossy", "o.####.exr is of a lossy format"),
        (output(there="1001-1003"), "output_there", "Frames 1001-1003"),
        (output(bytes_needed=3 << 30), "disk_full", "about 3.0 GiB, its disk has 1.0 GiB left"),
        (
            replace(GOOD, crops=(Crop(1001, 1005, (0, 0, 2048, 1024), (512, 256), moves=True),)),
            "crop_reduced",
            "4.0 times reduced",
        ),
        (replace(GOOD, cost=Cost("cpu", 1.0, 5.0, 15 << 30, 16 << 30)), "memory_short", "--working-size"),
    ],
)
def test_a_warning_names_what_and_where(report: Report, code: str, told: str):
    given = {warning.code: warning.message for warning in warnings_of(report)}
    assert told in given[code]
    assert given[code].endswith((".", "?")) and "\n" not in given[code]


def test_handles_do_not_count_as_rendered():
    around = (Coverage(1000, 0.9, ALL_EDGES), *GOOD.mattes, Coverage(1006, 0.0))
    assert warnings_of(replace(GOOD, mattes=around)) == ()


def test_a_size_that_changes_at_a_cut_is_no_slip():
    jump = replace(GOOD, mattes=mattes(0.1, 0.1, 0.01, 0.01, 0.01), cuts=(1003,))
    assert warnings_of(jump) == ()


def test_an_empty_matte_needs_no_handles():
    empty = replace(GOOD, mattes=mattes(*[0.0] * 5), frames=Frames(1001, 1005, 0, 0, "", ""))
    assert [warning.code for warning in warnings_of(empty)] == ["matte_never"]

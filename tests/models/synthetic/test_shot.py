"""Synthetic shots: exact flow, honest visibility, same shot for the same number."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.network.vinet import warp
from models.synthetic import pictures as synthetic_pictures
from models.synthetic.holes import hole_masks
from models.synthetic.pictures import Pictures, procedural_texture, tone_map
from models.synthetic.shot import Shot, ShotSettings, make_shot

pytestmark = pytest.mark.slow

SETTINGS = ShotSettings(size=96, frames=7)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures(procedural=4)


@pytest.fixture(scope="module")
def shots(pictures: Pictures) -> list[Shot]:
    return [make_shot(pictures, SETTINGS, 3, index) for index in range(12)]


def test_a_shot_depends_on_its_seed_and_number_alone(pictures: Pictures) -> None:
    once, again = (make_shot(pictures, SETTINGS, 3, 5) for _ in range(2))
    other = make_shot(pictures, SETTINGS, 3, 6)
    assert torch.equal(once.seen, again.seen) and torch.equal(once.masks, again.masks)
    assert not torch.equal(once.seen, other.seen)


def test_shapes_ranges_and_types(shots: list[Shot]) -> None:
    for shot in shots:
        assert shot.clean.shape == shot.seen.shape == (7, 3, 96, 96)
        assert shot.masks.shape == (7, 1, 96, 96)
        assert shot.clean.dtype == shot.seen.dtype == shot.masks.dtype == torch.float32
        assert shot.clean.min() >= -1 and shot.clean.max() <= 1
        assert set(shot.masks.unique().tolist()) <= {0.0, 1.0}
        assert shot.masks[0].any() and not shot.masks[0].all()


def test_exact_flow_brings_the_source_onto_the_target_where_it_is_visible(shots: list[Shot]) -> None:
    moved, errors, still_errors = 0, [], []
    for shot in shots:
        flow, visible = shot.flow(1, 4)
        carried = warp(shot.clean[4:5], flow[None], "border")[0]
        share = 3 * visible.sum()
        errors.append(float(((carried - shot.clean[1]).abs() * visible).sum() / share))
        still_errors.append(float(((shot.clean[4] - shot.clean[1]).abs() * visible).sum() / share))
        moved += int(flow.abs().max() > 1)
    assert moved >= 6
    assert np.median(errors) < 0.03
    assert np.mean(errors) < 0.6 * np.mean(still_errors)


def test_flow_is_exact_to_the_last_shade_on_a_smooth_picture(tmp_path: Path) -> None:
    """Without grain, objects and fine texture nothing is left but rounding and the drift of exposure."""
    ys, xs = np.mgrid[:600, :600].astype(np.float32)
    waves = [127 + 100 * np.sin(xs / a + ys / b) for a, b in ((40, 60), (70, 45), (55, 80))]
    cv2.imwrite(str(tmp_path / "waves.png"), np.stack(waves, axis=-1).round().astype(np.uint8))
    smooth = Pictures(tmp_path, procedural=0)
    settings = ShotSettings(size=96, frames=5, objects=0, near=1)
    for index in range(8):
        shot = make_shot(smooth, settings, 4, index)
        flow, visible = shot.flow(0, 4)
        carried = warp(shot.clean[4:5], flow[None], "border")[0]
        inner = visible.bool() & (shot.layers[0] == shot.layers[0].flatten().mode().values)
        ratio = (carried + 1)[:, inner[0]].mean() / (shot.clean[0] + 1)[:, inner[0]].mean()
        off = ((carried + 1) / ratio - (shot.clean[0] + 1)).abs()[:, inner[0]]
        assert off.median() < 0.02 and off.mean() < 0.04


def test_nearer_planes_move_faster_than_the_far_one(pictures: Pictures) -> None:
    settings = ShotSettings(size=96, frames=5, objects=0, near=1)
    ratios = []
    for index in range(40):
        shot = make_shot(pictures, settings, 6, index)
        if len(shot.to_layer) < 2:
            continue
        flow, _ = shot.flow(0, 4)
        far, near = (flow[:, shot.layers[0] == layer] for layer in (0, 1))
        if near.shape[1] > 500 and far.shape[1] > 500 and far.norm(dim=0).mean() > 2:
            ratios.append(float(near.norm(dim=0).mean() / far.norm(dim=0).mean()))
    assert len(ratios) >= 5 and np.median(ratios) > 1.1


def test_strided_flow_is_the_full_flow_in_units_of_its_cells(pictures: Pictures) -> None:
    far_only = make_shot(pictures, ShotSettings(size=96, frames=7, objects=0, near=0), 3, 1)
    full, _ = far_only.flow(0, 3)
    coarse, _ = far_only.flow(0, 3, stride=4)
    pooled = full.reshape(2, 24, 4, 24, 4).mean(dim=(2, 4)) / 4
    assert coarse.shape == (2, 24, 24)
    assert (coarse - pooled).abs().max() < 0.01


def test_what_lies_in_the_sources_hole_is_not_visible(shots: list[Shot]) -> None:
    for shot in shots:
        _, visible = shot.flow(2, 2)
        assert not (visible * shot.masks[2]).any()
        assert visible[0][shot.masks[2, 0] == 0].all()


def test_flow_to_the_same_frame_is_zero(shots: list[Shot]) -> None:
    assert max(float(shot.flow(3, 3)[0].abs().max()) for shot in shots) < 1e-3


def test_no_motion_means_a_still_camera(pictures: Pictures) -> None:
    shot = make_shot(pictures, ShotSettings(size=64, frames=5, motion=0.0), 1, 0)
    assert shot.flow(0, 4)[0].abs().max() < 1e-3


def test_the_plate_hides_the_hole(shots: list[Shot]) -> None:
    assert not (shots[0].plate * shots[0].masks).any()


def test_holes_come_in_many_sizes_and_most_keep_off_the_border() -> None:
    shares, touching = [], 0
    for seed in range(100):
        masks = hole_masks(np.random.default_rng(seed), 64, 5, np.zeros((5, 2)))
        border = masks.copy()
        border[:, 1:-1, 1:-1] = 0
        touching += int(border.any())
        shares.append(masks[0].mean())
    assert 4 <= touching <= 25
    assert min(shares) < 0.04 and max(shares) > 0.15 and np.median(shares) < 0.3


def test_a_folder_of_pictures_is_used(tmp_path: Path) -> None:
    red = np.full((240, 320, 3), (0, 0, 255), np.uint8)
    cv2.imwrite(str(tmp_path / "red.png"), red)
    (tmp_path / "notes.txt").write_text("not a picture")
    pictures = Pictures(tmp_path, procedural=0)
    assert pictures.photographs == len(pictures) == 1
    assert np.array_equal(pictures.choose(np.random.default_rng(0))[0], red)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"No usable picture .* name another folder"):
        Pictures(tmp_path)


def test_tone_mapping_puts_the_median_at_middle_grey_and_keeps_highlights_apart() -> None:
    linear = np.array([0.01, 0.09, 0.09, 1.0, 8.0], np.float32).reshape(1, 5, 1).repeat(3, 2)
    display = tone_map(linear)[0, :, 0]
    assert 105 <= display[1] <= 125
    assert list(display) == sorted(display) and display[3] < display[4]


def test_procedural_textures_differ() -> None:
    a, b = (procedural_texture(np.random.default_rng(seed), 128) for seed in (1, 2))
    assert a.shape == (128, 128, 3) and a.dtype == np.uint8
    assert np.abs(a.astype(int) - b).mean() > 5


def test_procedural_textures_hold_text_and_patterns() -> None:
    """The same seeds with and without a kind of drawing differ, so both are drawn."""
    for kind in ("_draw_text", "_draw_pattern"):
        drawn = 0
        for seed in range(12):
            picture = np.full((128, 128, 3), 0.5, np.float32)
            getattr(synthetic_pictures, kind)(picture, np.random.default_rng(seed))
            drawn += int(np.ptp(picture) > 0.02)
        assert drawn >= 8, kind

"""Synthetic shots: exact flow, honest visibility, same shot for the same number."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.synthetic import Shot, ShotSettings, make_shot
from models.synthetic_holes import hole_masks
from models.synthetic_pictures import Pictures, procedural_texture, tone_map
from models.vinet import warp

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
    assert np.array_equal(once.seen, again.seen) and np.array_equal(once.masks, again.masks)
    assert not np.array_equal(once.seen, other.seen)


def test_shapes_ranges_and_types(shots: list[Shot]) -> None:
    for shot in shots:
        assert shot.clean.shape == shot.seen.shape == (7, 3, 96, 96)
        assert shot.masks.shape == (7, 1, 96, 96)
        assert shot.clean.dtype == shot.seen.dtype == shot.masks.dtype == np.float32
        assert shot.clean.min() >= -1 and shot.clean.max() <= 1
        assert set(np.unique(shot.masks)) <= {0.0, 1.0}
        assert shot.masks[0].any() and not shot.masks[0].all()


def test_exact_flow_brings_the_source_onto_the_target_where_it_is_visible(shots: list[Shot]) -> None:
    moved, errors, still_errors = 0, [], []
    for shot in shots:
        flow, visible = shot.flow(1, 4)
        carried = warp(torch.from_numpy(shot.clean[4:5]), torch.from_numpy(flow[None]), "border")[0].numpy()
        share = visible.sum()
        errors.append((np.abs(carried - shot.clean[1]) * visible).sum() / share / 3)
        still_errors.append((np.abs(shot.clean[4] - shot.clean[1]) * visible).sum() / share / 3)
        moved += int(np.abs(flow).max() > 1)
    assert moved >= 6
    assert np.median(errors) < 0.03
    assert np.mean(errors) < 0.6 * np.mean(still_errors)


def test_strided_flow_is_the_full_flow_in_units_of_its_cells(shots: list[Shot]) -> None:
    background_only = next(shot for shot in shots if not shot.layers.any())
    full, _ = background_only.flow(0, 3)
    coarse, _ = background_only.flow(0, 3, stride=4)
    pooled = full.reshape(2, 24, 4, 24, 4).mean(axis=(2, 4)) / 4
    assert coarse.shape == (2, 24, 24)
    assert np.abs(coarse - pooled).max() < 0.01


def test_what_lies_in_the_sources_hole_is_not_visible(shots: list[Shot]) -> None:
    for shot in shots:
        _, visible = shot.flow(2, 2)
        assert not (visible * shot.masks[2]).any()
        assert visible[0][shot.masks[2, 0] == 0].all()


def test_flow_to_the_same_frame_is_zero(shots: list[Shot]) -> None:
    assert max(np.abs(shot.flow(3, 3)[0]).max() for shot in shots) < 1e-3


def test_no_motion_means_a_still_camera(pictures: Pictures) -> None:
    shot = make_shot(pictures, ShotSettings(size=64, frames=5, motion=0.0), 1, 0)
    assert np.abs(shot.flow(0, 4)[0]).max() < 1e-3


def test_the_plate_hides_the_hole(shots: list[Shot]) -> None:
    assert not (shots[0].plate * shots[0].masks).any()


def test_holes_come_in_many_sizes_and_never_touch_the_border() -> None:
    shares = []
    for seed in range(60):
        masks = hole_masks(np.random.default_rng(seed), 64, 3, np.zeros((3, 2)))
        border = masks.copy()
        border[:, 1:-1, 1:-1] = 0
        assert not border.any()
        shares.append(masks[0].mean())
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

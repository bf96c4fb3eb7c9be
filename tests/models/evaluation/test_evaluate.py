"""Evaluation: cases, scores known by hand, baselines that do what they say, bars, and the whole command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.evaluation import evaluate as command
from models.evaluation.bars import judge
from models.evaluation.baselines import BASELINES
from models.evaluation.cases import SHAPES, Case, Hole, read_list, standard_cases
from models.evaluation.clips import ClipReader, Footage, find_clips
from models.evaluation.methods import Renderer, Stateless, Variant, parse_settings, standard_variants
from models.evaluation.report import Results, as_json, tables
from models.evaluation.scores import Scores, TrueMotion, score
from plugin_core.box import Box
from plugin_core.errors import InputError, SettingsError
from plugin_core.qc.scores import GAUSSIAN, UNIFORM_65

pytestmark = pytest.mark.slow

HEIGHT, WIDTH, FRAMES = 72, 96, 14


def texture() -> np.ndarray:
    noise = np.random.default_rng(7).random((HEIGHT, WIDTH + 4 * FRAMES, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def footage(*, moving: bool, pan: int = 0) -> Footage:
    """A textured wall, still or panned over, behind a hole that stands or walks."""
    hole = Hole("box", 0.3, 0.3, 0.3, 0.5, speed=0.03 if moving else 0.0)
    case = Case("wall", "box", "moving" if moving else "stationary", 0, FRAMES, hole)
    wall = texture()
    truth = [np.ascontiguousarray(wall[:, pan * t : pan * t + WIDTH]) for t in range(FRAMES)]
    holes = [hole.mask(t, WIDTH, HEIGHT) for t in range(FRAMES)]
    plate = [picture * ~mask[..., None] for picture, mask in zip(truth, holes, strict=True)]
    return Footage(case, plate, holes, truth)


def motion(shot: Footage) -> list[TrueMotion]:
    return [TrueMotion.of(*pair) for pair in zip(shot.truth, shot.truth[1:], strict=False)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips on disk: one with a truth, one without."""
    root = tmp_path_factory.mktemp("clips")
    wall = texture()
    for name in ("has_truth", "plain"):
        for part in ("plate", "matte", "gt") if name == "has_truth" else ("plate",):
            (root / name / part).mkdir(parents=True)
        for t in range(FRAMES):
            picture = np.ascontiguousarray(wall[:, 2 * t : 2 * t + WIDTH])
            if name == "has_truth":
                mask = np.zeros((HEIGHT, WIDTH), np.uint8)
                mask[20:50, 10 + 2 * t : 30 + 2 * t] = 255 if t > 2 else 0
                cv2.imwrite(str(root / name / "gt" / f"{t:05d}.png"), picture)
                cv2.imwrite(str(root / name / "matte" / f"{t:05d}.png"), mask)
                picture = np.where(mask[..., None] > 0, 0, picture).astype(np.uint8)
            cv2.imwrite(str(root / name / "plate" / f"{t:05d}.png"), picture)
    return root


class TestCases:
    def test_the_checked_in_list_is_what_the_rule_makes(self):
        frames = {
            "davis_camel": 90,
            "davis_kite-walk": 80,
            "davis_tennis": 70,
            "gopro_walk": 100,
            "intel_person_arrives": 50,
            "void_pillow": 30,
        }
        listed = read_list()
        assert set(listed) == set(frames)
        for clip, count in frames.items():
            assert listed[clip] == standard_cases(clip, count, has_truth=clip == "intel_person_arrives")

    def test_any_clip_has_two_moving_and_two_stationary_holes(self):
        cases = standard_cases("never seen", 40)
        assert [case.motion for case in cases] == ["moving", "moving", "stationary", "stationary"]
        assert cases == standard_cases("never seen", 40)
        assert cases != standard_cases("another", 40)
        assert len({case.key for case in cases}) == 4

    def test_short_clips_give_only_their_truth(self):
        assert standard_cases("short", 8) == []
        assert [case.name for case in standard_cases("short", 8, has_truth=True)] == ["truth"]

    @pytest.mark.parametrize("shape", SHAPES)
    def test_holes_have_the_size_they_say_at_any_resolution(self, shape: str):
        length, thick = (0.75, 0.03) if shape == "wire" else (0.4, 0.2)
        hole = Hole(shape, length, thick, 0.5, 0.5, seed=4)
        small, large = hole.mask(0, 160, 90), hole.mask(0, 640, 360)
        assert small.mean() == pytest.approx(large.mean(), rel=0.15)
        assert 0.2 * length * thick < large.mean() * 640 / 360 <= 1.05 * length * thick

    def test_a_standing_hole_stands_and_a_walking_one_crosses_and_turns(self):
        standing = Hole("box", 0.2, 0.2, 0.5, 0.5)
        assert np.array_equal(standing.mask(0, 160, 90), standing.mask(40, 160, 90))
        walking = replace(standing, speed=0.02, x=0.3)
        middles = [np.flatnonzero(walking.mask(t, 320, 180).any(axis=0)).mean() / 320 for t in range(60)]
        assert middles[1] - middles[0] == pytest.approx(0.02, abs=0.005)
        assert min(middles) > 0.1 and 0.87 < max(middles) < 0.92
        assert middles[-1] < max(middles) - 0.1


class TestScores:
    def test_the_truth_is_perfect(self):
        shot = footage(moving=True)
        found = score(shot, motion(shot), shot.truth, GAUSSIAN)
        assert (found.detail, found.texture) == (1, 0) and found.detail_flicker < 0.1
        assert (found.hole_psnr, found.psnr, found.hole_ssim, found.ssim) == (100, 100, pytest.approx(1), 1)

    def test_a_known_error_inside_the_hole(self):
        shot = footage(moving=False)
        flat = [np.full_like(picture, 100) for picture in shot.truth]
        shot = replace(shot, truth=flat)
        result = [np.where(h[..., None], 151, flat[0]).astype(np.uint8) for h in shot.holes]
        found = score(shot, motion(shot), result, GAUSSIAN)
        share = shot.holes[0].mean()
        assert found.hole_psnr == pytest.approx(-10 * math.log10(0.04), abs=1e-3)
        assert found.psnr == pytest.approx(-10 * math.log10(0.04 * share), abs=1e-3)
        assert found.hole_e_warp == pytest.approx(0, abs=1e-9)

    @pytest.mark.parametrize("window", [GAUSSIAN, UNIFORM_65])
    @pytest.mark.parametrize("moving", [True, False])
    def test_working_on_parts_gives_the_numbers_of_whole_frames(self, window, moving):
        from plugin_core.qc.scores import ssim_map

        shot = footage(moving=moving, pan=2)
        result = BASELINES["telea"](shot.plate, shot.holes)
        found, pairs = score(shot, motion(shot), result, window), motion(shot)
        whole = Box(0, 0, WIDTH, HEIGHT)
        border = 0 if window.sigma else window.reach
        inner = np.s_[border : HEIGHT - border, border : WIDTH - border]
        ssim = [ssim_map(a, b, window)[inner].mean() for a, b in zip(shot.truth, result, strict=True)]
        errors = [
            pair.pair.error(a, b, whole)[pair.pair.seen].mean()
            for pair, a, b in zip(pairs, result, result[1:], strict=False)
        ]
        assert found.ssim == pytest.approx(np.mean(ssim), abs=1e-4)
        assert found.e_warp == pytest.approx(np.mean(errors), rel=1e-3)

    def test_flicker_shows_in_the_warping_error(self):
        shot = footage(moving=False)
        steady = [
            np.where(h[..., None], 90, p).astype(np.uint8)
            for h, p in zip(shot.holes, shot.truth, strict=True)
        ]
        flicker = [
            np.where(h[..., None], 90 + 25 * (t % 2), p).astype(np.uint8)
            for t, (h, p) in enumerate(zip(shot.holes, shot.truth, strict=True))
        ]
        pairs = motion(shot)
        quiet = score(shot, pairs, steady, GAUSSIAN).hole_e_warp
        loud = score(shot, pairs, flicker, GAUSSIAN).hole_e_warp
        assert loud - quiet == pytest.approx((25 / 255) ** 2, rel=0.05)


class TestBaselines:
    @pytest.mark.parametrize("name", list(BASELINES))
    @pytest.mark.parametrize("moving", [True, False])
    def test_only_the_hole_changes_and_never_twice_differently(self, name: str, moving: bool):
        shot = footage(moving=moving, pan=2)
        result = BASELINES[name](shot.plate, shot.holes)
        for plate, hole, picture in zip(shot.plate, shot.holes, result, strict=True):
            assert np.array_equal(plate[~hole], picture[~hole])
        again = BASELINES[name](shot.plate, shot.holes)
        assert all(np.array_equal(one, other) for one, other in zip(result, again, strict=True))

    @pytest.mark.parametrize(("name", "least_db"), [("median", 45.0), ("flow", 38.0)])
    def test_what_a_locked_camera_uncovers_is_put_back(self, name: str, least_db: float):
        shot = footage(moving=True)
        found = score(shot, motion(shot), BASELINES[name](shot.plate, shot.holes), GAUSSIAN)
        spatial = score(shot, motion(shot), BASELINES["telea"](shot.plate, shot.holes), GAUSSIAN)
        assert found.hole_psnr > least_db > spatial.hole_psnr + 10

    @pytest.mark.parametrize("name", ["median", "flow"])
    def test_a_pan_is_followed(self, name: str):
        shot = footage(moving=False, pan=4)
        found = score(shot, motion(shot), BASELINES[name](shot.plate, shot.holes), GAUSSIAN)
        spatial = score(shot, motion(shot), BASELINES["telea"](shot.plate, shot.holes), GAUSSIAN)
        assert found.hole_psnr > spatial.hole_psnr + 3

    def test_a_hole_without_frames_to_look_at_is_left_to_telea(self):
        shot = footage(moving=False)
        filled = BASELINES["median"](shot.plate, shot.holes)
        expected = BASELINES["telea"](shot.plate, shot.holes)
        assert all(np.array_equal(one, other) for one, other in zip(filled, expected, strict=True))


class TestClips:
    def test_the_truth_is_the_clean_plate_inside_the_matte_only(self, clips: Path):
        clip = next(clip for clip in find_clips(clips) if clip.name == "has_truth")
        case = next(case for case in clip.cases() if case.motion == "truth")
        shot = ClipReader(clip, None).footage(case)
        assert not shot.holes[0].any() and shot.holes[5].any()
        assert all((picture[hole] == 0).all() for picture, hole in zip(shot.plate, shot.holes, strict=True))
        assert shot.truth[5][shot.holes[5]].mean() > 20

    def test_a_case_is_resized_and_stationary_holes_grow(self, clips: Path):
        clip = next(clip for clip in find_clips(clips) if clip.name == "plain")
        case = next(case for case in clip.cases() if case.motion == "stationary")
        plain = ClipReader(clip, (48, 36)).footage(case)
        grown = ClipReader(clip, (48, 36), dilations=4).footage(case)
        assert plain.size == (48, 36)
        assert grown.holes[0].sum() > plain.holes[0].sum()
        assert (grown.holes[0] | plain.holes[0]).sum() == grown.holes[0].sum()

    def test_a_folder_without_clips_is_refused(self, tmp_path: Path):
        with pytest.raises(InputError, match="plate/"):
            find_clips(tmp_path)


class TestVariants:
    def test_settings_are_read_from_the_command_line(self):
        assert parse_settings(["grow=4", "matte-channel=A", "x=true"]) == {
            "grow": 4,
            "matte_channel": "A",
            "x": True,
        }
        variant = Variant.parse("soft:feather=3,stateless=true,model=other")
        assert (variant.settings, variant.stateless, variant.model) == ({"feather": 3}, True, "other")
        assert variant.with_settings({"feather": 9, "grow": 1}).settings == {"feather": 3, "grow": 1}

    def test_a_wrong_setting_names_the_variant(self):
        with pytest.raises(SettingsError, match=r"soft.*fether"):
            Variant.parse("soft:fether=3").validated()
        with pytest.raises(SettingsError, match="key=value"):
            parse_settings(["grow"])

    def test_the_bars_have_their_rows(self):
        names = [variant.name for variant in standard_variants()]
        assert names == ["cleanplate", "vinet", "vinet-stateless", "causal"]
        for variant in standard_variants():
            variant.validated()

    def test_stateless_forgets_everything(self):
        from tests.plugin_core.toy_network import ToyNetwork

        network = Stateless(ToyNetwork())
        rng = np.random.default_rng(2)
        frame = rng.random((3, 16, 24)).astype(np.float32)
        mask = (rng.random((1, 16, 24)) > 0.7).astype(np.float32)
        sources = [network.encode(frame, mask)] * 4
        first = network.step(frame, mask, sources, network.start(frame, mask))
        second = network.step(frame, mask, sources, first.carry)
        assert np.array_equal(first.fill, second.fill)
        assert network.model_id != ToyNetwork().model_id

    def test_a_variant_renders_through_the_core(self, bundle_512: Path):
        shot = footage(moving=True)
        short = replace(shot, plate=shot.plate[:3], holes=shot.holes[:3], truth=shot.truth[:3])
        result = Renderer(str(bundle_512), "cpu", 1).fill(short, Variant("ours", {"feather": 2}))
        assert len(result) == 3
        assert not np.array_equal(result[1], short.plate[1])


def scores(psnr: float, warp: float) -> Scores:
    return Scores(psnr, 0.9, warp, psnr + 10, 0.99, warp / 10, detail=0.8, texture=0.3, detail_flicker=0.1)


def results(**methods: tuple[float, float]) -> Results:
    """Every method with one PSNR and one warping error on a moving, a stationary and a truth case."""
    cases = tuple(Case("clip", name, name, 0, 30) for name in ("moving", "stationary", "truth"))
    return Results(
        cases, {name: {case.key: scores(*found) for case in cases} for name, found in methods.items()}
    )


GOOD = {
    "black": (8.0, 9e-3),
    "telea": (20.0, 8e-3),
    "ns": (20.0, 8e-3),
    "median": (22.0, 3e-3),
    "flow": (24.0, 2.5e-3),
    "cleanplate": (31.0, 1e-3),
    "vinet": (23.0, 1.5e-3),
    "vinet-stateless": (22.0, 3e-3),
    "flow-past": (23.0, 2.5e-3),
    "causal": (22.6, 2.4e-3),
}


class TestBars:
    def test_all_pass_where_ours_is_better(self):
        bars = judge(results(**GOOD))
        assert all(bar.passed for bar in bars), [bar for bar in bars if not bar.passed]
        assert len(bars) == 2 * 2 * 5 + 1 + 2 + 1 + 1 + 4

    @pytest.mark.parametrize(
        ("method", "found", "name"),
        [
            ("flow", (29.6, 2.5e-3), "over flow, hole PSNR"),
            ("flow", (24.0, 1.2e-3), "over flow, hole E_warp"),
            ("telea", (31.4, 8e-3), "every clip"),
            ("telea", (21.5, 8e-3), "vinet over telea"),
            ("vinet-stateless", (22.0, 1.9e-3), "recurrence"),
            ("causal", (22.4, 2.4e-3), "causal over flow-past, hole PSNR"),
            ("causal", (22.6, 2.6e-3), "causal over flow-past, hole E_warp"),
            ("cleanplate", (29.9, 1e-3), "true clean plate"),
        ],
    )
    def test_each_bar_can_fail(self, method: str, found: tuple[float, float], name: str):
        failed = [bar.name for bar in judge(results(**{**GOOD, method: found})) if bar.passed is False]
        assert any(name in bar for bar in failed), failed

    def test_what_was_not_measured_is_not_judged(self):
        bars = judge(results(telea=(20.0, 8e-3)))
        assert all(bar.passed is None and bar.found == "not measured" for bar in bars)

    def test_a_constant_fill_is_no_rival_in_steadiness(self):
        bars = judge(results(**{**GOOD, "black": (8.0, 1e-4)}))
        judged = [bar for bar in bars if "over black, hole E_warp" in bar.name]
        assert [bar.passed for bar in judged] == [None, None]


class TestReport:
    def test_tables_have_every_method_and_case(self):
        text = tables(results(**GOOD))
        for word in (
            "Detail of each case",
            "Moving holes",
            "Stationary holes",
            "true clean plate",
            "clip/moving",
            *GOOD,
        ):
            assert word in text
        line = next(line for line in text.splitlines() if line.startswith("flow"))
        assert line.split() == [
            "flow",
            "24.00",
            "0.9000",
            "2.50",
            "0.80",
            "0.30",
            "0.10",
            "34.00",
            "0.9900",
            "0.250",
        ]

    def test_json_has_no_nan(self):
        found = as_json(results(telea=(float("nan"), 8e-3)))
        assert json.loads(json.dumps(found, allow_nan=False))["means"]["moving"]["telea"]["hole_psnr"] is None


class TestCommand:
    def run(self, clips: Path, out: Path, *more: str) -> int:
        given = [
            "--clips",
            str(clips),
            "--quick",
            "--frames",
            "4",
            "--out",
            str(out),
            "--cache",
            str(out / "kept"),
        ]
        return command.evaluate(command.parse([*given, "--methods", "telea,black", *more]))

    def test_writes_table_json_and_sheets_and_keeps_baselines(
        self, clips: Path, tmp_path: Path, capsys, monkeypatch
    ):
        assert self.run(clips, tmp_path, "--sheets") == 0
        first = json.loads((tmp_path / "scores.json").read_text())
        assert set(first["means"]) == {"moving", "stationary", "truth"}
        assert "telea" in (tmp_path / "table.txt").read_text()
        assert "Bars" in capsys.readouterr().out
        assert len(list((tmp_path / "sheets").glob("*.png"))) == len(first["cases"]) == 5

        def not_again(plate, holes):
            raise AssertionError("filled again")

        monkeypatch.setitem(BASELINES, "telea", not_again)
        assert self.run(clips, tmp_path) == 0
        assert json.loads((tmp_path / "scores.json").read_text()) == first

    def test_a_touched_clip_is_not_taken_from_the_cache(self, clips: Path, tmp_path: Path, monkeypatch):
        self.run(clips, tmp_path, "--only", "plain")
        frame = clips / "plain" / "plate" / "00003.png"
        frame.write_bytes(frame.read_bytes() + b"\0")
        asked = []
        monkeypatch.setitem(BASELINES, "telea", lambda plate, holes: asked.append(1) or plate)
        self.run(clips, tmp_path, "--only", "plain")
        assert asked

    def test_unknown_methods_and_empty_choices_are_refused(self, clips: Path, tmp_path: Path):
        with pytest.raises(InputError, match="known are black"):
            self.run(clips, tmp_path, "--methods", "magic")
        with pytest.raises(InputError, match="No case"):
            self.run(clips, tmp_path, "--only", "nowhere")

    def test_field_protocol_stands_beside_the_published_table(self, clips: Path, tmp_path: Path, capsys):
        given = [
            "--clips",
            str(clips),
            "--protocol",
            "field",
            "--frames",
            "3",
            "--only",
            "plain",
            "--no-cache",
        ]
        assert command.evaluate(command.parse([*given, "--methods", "telea", "--out", str(tmp_path)])) == 0
        printed = capsys.readouterr().out
        assert "ProPainter" in printed and "432x240" in command.__doc__
        assert {case["motion"] for case in json.loads((tmp_path / "scores.json").read_text())["cases"]} == {
            "stationary"
        }

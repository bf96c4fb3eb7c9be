"""`cleanplate qc` on shots whose faults are planted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.cli import main
from plugin_core.cli.qc import FAULTS_FOUND
from plugin_core.clips.movie_write import MovieLook, write_movie
from plugin_core.clips.sequence import FileSequence
from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.images import read_plate
from plugin_core.job.settings import Settings
from plugin_core.qc.judge import judge
from plugin_core.qc.report import Check, FrameFound, Limits, Report
from plugin_core.regions.hole import hole_of
from plugin_core.state.folder import journal_path, output_folder
from plugin_core.state.journal import Entry, Journal

from ..shots import ShotOnDisk, read, write_matte

pytestmark = pytest.mark.slow

FIRST, LAST = 11, 16
WIDTH, HEIGHT = 192, 144
HOLE = np.s_[50:94, 60:110]


def clean(frame: int) -> np.ndarray:
    """A textured wall, still, with grain of its own on every frame; 0..1."""
    rng = np.random.default_rng(3)
    smooth = cv2.GaussianBlur(rng.random((HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 2.5)
    smooth = 0.25 + 0.5 * (smooth - smooth.min()) / np.ptp(smooth)
    return (smooth + np.random.default_rng(frame).normal(0, 0.005, smooth.shape)).astype(np.float32)


def write(path: Path, rgb: np.ndarray, *, depth: float = 1.0, kind: str = "half") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".exr":
        pixels = np.dstack([rgb, np.full(rgb.shape[:2], depth, np.float32)])
        spec = oiio.ImageSpec(rgb.shape[1], rgb.shape[0], 4, kind)
        spec.channelnames = ("R", "G", "B", "Z")
        spec.attribute("compression", "zip")
    else:
        pixels = (np.clip(rgb, 0, 1) * 255).round().astype(np.uint8)
        spec = oiio.ImageSpec(rgb.shape[1], rgb.shape[0], 3, "uint8")
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec) and file.write_image(pixels) and file.close()


AS_IT_IS = ("--colorspace", "display", "--grow", "0", "--feather", "0")


class Planted:
    """A shot, its true clean plate, and a result that starts out as the truth."""

    def __init__(self, folder: Path, extension: str = ".exr") -> None:
        self.shot = ShotOnDisk(folder, FIRST, LAST, extension)
        self.frames = range(FIRST, LAST + 1)
        for frame in self.frames:
            plate, matte = clean(frame), np.zeros((HEIGHT, WIDTH), np.uint8)
            plate[HOLE], matte[HOLE] = 0.9 * plate[HOLE][::-1], 255
            write(self.shot.plate(frame), plate)
            write_matte(self.shot.matte(frame), matte)
            write(self.truth(frame), clean(frame))
            self.result(frame, clean(frame))

    def truth(self, frame: int) -> Path:
        return self.shot.folder / "truth" / f"truth.{frame:04d}{self.shot.extension}"

    def result(self, frame: int, rgb: np.ndarray, **more: object) -> None:
        write(self.shot.written(frame), rgb, **more)

    def qc(self, *more: str) -> int:
        given = ["--plate", self.shot.plate_pattern, "--matte", self.shot.matte_pattern]
        return main(["qc", *given, "--result", self.shot.output(), *AS_IT_IS, *more])

    def found(self, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, dict]]:
        """Exit code, and the checks by name."""
        capsys.readouterr()
        code = self.qc("--json", "-", *more)
        report = json.loads(capsys.readouterr().out)
        assert report["passed"] == (code == 0)
        return code, {check["name"]: check for check in report["checks"]}


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def faults(checks: dict[str, dict]) -> list[str]:
    return [name for name, check in checks.items() if check["verdict"] == "FAULT"]


def test_a_perfect_result_has_no_faults(planted: Planted, capsys):
    code, checks = planted.found(capsys, "--truth", str(planted.truth(FIRST).parent))
    assert code == 0 and {check["verdict"] for check in checks.values()} == {"ok"}
    assert checks["truth"]["value"] == 100
    assert checks["seam"]["value"] == pytest.approx(1, abs=0.4)


def test_a_missing_frame_is_named(planted: Planted, capsys):
    planted.shot.written(13).unlink()
    code, checks = planted.found(capsys)
    assert code == FAULTS_FOUND and faults(checks) == ["frames"]
    assert checks["frames"]["frames"] == [13] and "13" in checks["frames"]["found"]


def test_nothing_is_said_of_a_result_that_is_not_there(planted: Planted, capsys):
    for frame in planted.frames:
        planted.shot.written(frame).unlink()
    code, checks = planted.found(capsys)
    assert code == FAULTS_FOUND and list(checks) == ["frames"]


def test_a_movie_is_looked_at_frame_by_frame_but_not_bit_by_bit(tmp_path: Path, capsys):
    planted = Planted(tmp_path, ".png")
    movie = tmp_path / "clean.mov"
    pictures = [read_plate(planted.shot.written(frame)) for frame in planted.frames]
    write_movie(pictures, len(pictures), movie, MovieLook())
    given = ["--plate", planted.shot.plate_pattern, "--matte", planted.shot.matte_pattern, *AS_IT_IS]
    main(["qc", *given, "--result", str(movie), "--json", "-"])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["frames"]["verdict"] == "ok" and faults(checks) == []
    assert checks["untouched"]["verdict"] == "-"


def test_a_damaged_and_a_resized_frame_are_told_apart_from_a_missing_one(planted: Planted, capsys):
    planted.shot.written(12).write_bytes(planted.shot.written(12).read_bytes()[:200])
    planted.result(14, clean(14)[:-10])
    _, checks = planted.found(capsys)
    assert faults(checks) == ["frames"]
    assert checks["frames"]["frames"] == [12, 14] and "can't be used" in checks["frames"]["found"]


def test_one_touched_pixel_outside_the_matte_is_found(planted: Planted, capsys):
    touched = clean(14)
    touched[3, 4, 1] = np.nextafter(np.float16(touched[3, 4, 1]), np.float16(2))
    planted.result(14, touched)
    code, checks = planted.found(capsys)
    assert code == FAULTS_FOUND and faults(checks) == ["untouched"]
    assert (checks["untouched"]["value"], checks["untouched"]["frames"]) == (1, [14])


def test_a_channel_that_is_not_filled_may_not_change_even_inside_the_matte(planted: Planted, capsys):
    planted.result(15, clean(15), depth=2.0)
    _, checks = planted.found(capsys)
    assert checks["untouched"]["value"] == HEIGHT * WIDTH


def test_the_grown_feathered_matte_is_what_may_change(planted: Planted, capsys):
    matte = read(planted.shot.matte(FIRST))[..., 0].astype(np.float32) / 255
    hole = hole_of(matte, Settings(grow=3, feather=4))
    changed = clean(12)
    changed[hole.box.slices][hole.alpha > 0] += 0.004
    planted.result(12, changed)
    assert faults(planted.found(capsys)[1]) == ["untouched"]
    assert faults(planted.found(capsys, "--grow", "3", "--feather", "4")[1]) == []


def test_nan_in_the_fill_is_found(planted: Planted, capsys):
    broken = clean(13)
    broken[60, 70:73] = np.nan
    planted.result(13, broken)
    _, checks = planted.found(capsys)
    assert "finite" in faults(checks)
    assert (checks["finite"]["value"], checks["finite"]["frames"]) == (3, [13])


def test_a_hole_that_still_holds_the_plate_is_found(planted: Planted, capsys):
    planted.shot.written(15).write_bytes(planted.shot.plate(15).read_bytes())
    _, checks = planted.found(capsys)
    assert checks["filled"]["verdict"] == "FAULT" and checks["filled"]["frames"] == [15]


def test_a_fill_of_another_brightness_shows_as_a_seam(planted: Planted, capsys):
    for frame in planted.frames:
        shifted = clean(frame)
        shifted[HOLE] += 0.25
        planted.result(frame, shifted)
    code, checks = planted.found(capsys)
    assert code == FAULTS_FOUND and faults(checks) == ["seam", "outline"]
    assert planted.found(capsys, "--max-seam", "20", "--max-outline", "20")[0] == 0


def test_a_flickering_fill_is_found(planted: Planted, capsys):
    for frame in planted.frames:
        loud = clean(frame)
        loud[HOLE] += 0.05 * (frame % 2)
        planted.result(frame, loud)
    _, checks = planted.found(capsys)
    assert faults(checks) == ["flicker"]


def test_a_soft_fill_is_a_fault_and_a_soft_limit_lets_it_pass_but_never_as_faultless(
    planted: Planted, capsys
):
    for frame in planted.frames:
        soft = clean(frame)
        soft[HOLE] = cv2.GaussianBlur(soft, (0, 0), 3.0)[HOLE]
        planted.result(frame, soft)
    code, checks = planted.found(capsys)
    assert code == FAULTS_FOUND and faults(checks) == ["detail"]
    assert sorted(checks["detail"]["frames"]) == list(planted.frames)
    assert "softer" in checks["detail"]["found"] and checks["detail"]["limit"] == 0.7
    assert checks["noise"]["verdict"] == "look"
    assert planted.qc("--min-detail", "0") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("look at: ")
    code, checks = planted.found(capsys, "--min-detail", "0", "--min-sharpness", "0.6", "--min-noise", "0.1")
    assert code == FAULTS_FOUND and faults(checks) == ["sharpness"]


def test_what_comes_for_one_frame_is_named_with_its_frame(planted: Planted, capsys):
    board = clean(14)
    board[60:80, 70:100] = (0.9, 0.1, 0.1)
    planted.result(14, board)
    code, checks = planted.found(capsys)
    assert code == FAULTS_FOUND and "intruder" in faults(checks)
    assert checks["intruder"]["frames"] == [14] and "on 1 of 4 frames (14)" in checks["intruder"]["found"]


def test_an_outline_that_is_left_is_a_fault(planted: Planted, capsys):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[HOLE] = 1
    rim = mask - cv2.erode(mask, np.ones((5, 5), np.uint8))
    for frame in planted.frames:
        planted.result(frame, clean(frame) - 0.2 * rim[..., None])
    _, checks = planted.found(capsys)
    assert "outline" in faults(checks) and "6 of 6 frames (11-16)" in checks["outline"]["found"]


def test_psnr_against_the_truth_is_the_one_known_by_hand(planted: Planted, capsys):
    for frame in planted.frames:
        off = clean(frame)
        off[HOLE] += 0.01
        planted.result(frame, off)
    truth = str(planted.truth(FIRST).parent)
    code, checks = planted.found(capsys, "--truth", truth, "--min-psnr", "39")
    assert code == 0
    assert checks["truth"]["value"] == pytest.approx(
        40, abs=0.2
    )  # 0.01 off everywhere; halves round a little
    code, checks = planted.found(capsys, "--truth", truth, "--min-psnr", "41")
    assert code == FAULTS_FOUND and faults(checks) == ["truth"]


def test_a_limit_for_the_truth_needs_one(planted: Planted, capsys):
    assert planted.qc("--min-psnr", "30") == 2
    assert "--truth" in capsys.readouterr().err


def test_other_pixel_types_and_lossy_formats_are_told_not_judged(planted: Planted, capsys):
    for frame in planted.frames:
        planted.result(frame, clean(frame), kind="float")
    code, checks = planted.found(capsys)
    assert code == 0 and checks["untouched"]["verdict"] == "-" and "float" in checks["untouched"]["found"]


def test_a_result_stored_otherwise_on_request_is_held_against_what_was_asked_for(planted: Planted, capsys):
    for frame in planted.frames:
        stored = read(planted.shot.plate(frame)).astype(np.float32)[..., :3]
        stored[HOLE] = clean(frame)[HOLE]
        planted.result(frame, stored, kind="float")
    code, checks = planted.found(capsys, "--bit-depth", "float")
    assert code == 0 and checks["untouched"]["verdict"] == "ok"


def test_report_file_and_sheet_are_written(planted: Planted, capsys, tmp_path: Path):
    planted.shot.written(13).unlink()
    report, sheet = tmp_path / "qc.json", tmp_path / "qc.png"
    assert planted.qc("--json", str(report), "--sheet", str(sheet)) == FAULTS_FOUND
    out = capsys.readouterr().out
    assert "FAULT  frames" in out and out.rstrip().endswith("faults: frames")
    found = json.loads(report.read_text())
    assert [frame["frame"] for frame in found["frames"]] == list(planted.frames)
    assert found["frames"][2]["state"] == "missing"
    assert cv2.imread(str(sheet)).shape[0] > 300


def test_a_job_brings_its_own_matte_settings(planted: Planted, tmp_path: Path, capsys):
    shot = planted.shot.shot(colorspace="display").model_dump()
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"shot": shot, "settings": {"grow": 2}}))
    assert main(["qc", "--job", str(job)]) == 0
    assert "no faults" in capsys.readouterr().out


def test_missing_inputs_end_as_a_render_would(planted: Planted, capsys):
    planted.shot.matte(13).unlink()
    assert planted.qc() == 3
    assert "13" in capsys.readouterr().err


def test_a_shot_without_any_hole_is_only_copied(planted: Planted, capsys):
    for frame in planted.frames:
        write_matte(planted.shot.matte(frame), np.zeros((HEIGHT, WIDTH), np.uint8))
        planted.shot.written(frame).write_bytes(planted.shot.plate(frame).read_bytes())
    code, checks = planted.found(capsys)
    assert code == 0 and checks["fill"]["verdict"] == "-"


def test_eight_bit_plates_are_compared_code_by_code(tmp_path: Path, capsys):
    planted = Planted(tmp_path, ".png")
    assert planted.found(capsys)[0] == 0
    touched = clean(12)
    touched[0, 0] = 0
    planted.result(12, touched)
    assert planted.found(capsys)[1]["untouched"]["value"] == 1


def test_a_real_render_passes_the_exact_checks(tmp_path: Path, capsys):
    from ..shots import QUICK, make_shot, run_toy

    shot = make_shot(tmp_path, last=4)
    run_toy(shot.shot(), QUICK.model_copy(update={"grow": 2, "feather": 3}))
    given = ["--plate", shot.plate_pattern, "--matte", shot.matte_pattern, "--result", shot.output()]
    main(["qc", *given, "--grow", "2", "--feather", "3", "--json", "-"])
    report = json.loads(capsys.readouterr().out)
    exact = {check["name"]: check["verdict"] for check in report["checks"]}
    assert [exact[name] for name in ("frames", "untouched", "filled", "finite")] == ["ok"] * 4


def test_limits_are_judged_on_the_mean_of_the_shot():
    frames = [FrameFound(1, hole=9, seam=1.0), FrameFound(2, hole=9, seam=5.0), FrameFound(3, hole=9)]
    check = {check.name: check for check in judge(frames, Limits())}["seam"]
    assert (check.value, check.verdict, check.frames) == (3.0, "FAULT", (2, 1))
    check = {check.name: check for check in judge(frames, Limits(seam=3.5))}["seam"]
    assert check.verdict == "ok"


def test_flicker_of_frames_without_neighbors_is_not_judged():
    checks = judge([FrameFound(1, hole=9)], Limits())
    flicker = next(check for check in checks if check.name == "flicker")
    assert flicker.verdict == "-" and math.isnan(flicker.value)


def test_plates_with_data_windows_of_their_own_are_held_against_results_with_the_same(
    planted: Planted, capsys
):
    def cut(path: Path, rgb: np.ndarray, x: int, y: int) -> None:
        spec = oiio.ImageSpec(rgb.shape[1], rgb.shape[0], 3, "half")
        spec.x, spec.y, spec.full_width, spec.full_height = x, y, WIDTH, HEIGHT
        file = oiio.ImageOutput.create(str(path))
        assert file.open(str(path), spec) and file.write_image(np.ascontiguousarray(rgb)) and file.close()

    for frame in planted.frames:
        x, y = frame - FIRST, 2 * (frame - FIRST)
        plate = clean(frame)
        plate[HOLE] = 0.9 * plate[HOLE][::-1]
        cut(planted.shot.plate(frame), plate[y:-3, x:-5], x, y)
        cut(planted.shot.written(frame), clean(frame)[y:-3, x:-5], x, y)
    assert faults(planted.found(capsys)[1]) == []
    cut(planted.shot.written(13), clean(13)[4:-3, 2:-5], 3, 4)
    assert faults(planted.found(capsys)[1]) == ["frames"]
    moved = clean(13)[4:-3, 2:-5].copy()
    moved[0, 0] += 0.1
    cut(planted.shot.written(13), moved, 2, 4)
    assert planted.found(capsys)[1]["untouched"]["value"] == 1


def test_a_few_frames_beyond_a_limit_ask_for_a_look_and_many_are_a_fault():
    def judged(soft: int) -> str:
        frames = [FrameFound(n, hole=9, detail=0.5 if n <= soft else 1.0) for n in range(1, 101)]
        return {check.name: check for check in judge(frames, Limits())}["detail"].verdict

    assert [judged(soft) for soft in (0, 1, 5, 6)] == ["ok", "look", "look", "FAULT"]
    once = judge([FrameFound(n, hole=9, intruder=0.5 * (n == 7)) for n in range(1, 101)], Limits())
    assert {check.name: check for check in once}["intruder"].verdict == "FAULT"


def test_a_look_is_never_called_faultless():
    def headline(*verdicts: str) -> str:
        return Report("r", (), tuple(Check(f"c{n}", v, "") for n, v in enumerate(verdicts))).headline

    assert headline("ok", "-") == "no faults"
    assert headline("ok", "look") == "look at: c1"
    assert headline("FAULT", "look") == "faults: c0; look at: c1"


def test_where_the_pixels_came_from_is_said_where_a_render_noted_it(planted: Planted, capsys):
    output = FileSequence.parse(planted.shot.output())
    journal = Journal(journal_path(output_folder(output)), {"model": "toy"})
    origins = {"found": 1650, "guessed": 550}
    files = {frame: Fingerprint.of(planted.shot.written(frame)) for frame in planted.frames}
    journal.restart([Entry(frame, file, {}, {}, origins=origins) for frame, file in files.items()])
    planted.result(16, clean(15))  # changed since: nothing is known of it
    planted.qc()
    out = capsys.readouterr().out.splitlines()
    assert "holes: 75 % found in other frames, 25 % guessed by the network" in out
    planted.qc("--json", "-")
    frames = json.loads(capsys.readouterr().out)["frames"]
    assert frames[0]["origins"] == origins and frames[-1]["origins"] == {}

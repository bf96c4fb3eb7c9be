"""A probe of real files: what it finds, what it refuses, and that it writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.cli import main
from plugin_core.job.job import Job
from plugin_core.probe.probe import probe
from plugin_core.probe.report import Report
from plugin_core.probe.text import lines_of

from ..shots import HEIGHT, WIDTH, ShotOnDisk, make_shot, picture, write_matte, write_plate
from .test_forecast import on_disk

pytestmark = pytest.mark.slow


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 20, empty=(11, 12))


def look(
    shot: ShotOnDisk, bundle: Path, *, quick: bool = True, trial: bool = False, **fields: object
) -> Report:
    settings = {"working_size": 64, "context": 16, "grow": 2, "feather": 0}
    run = {"model": str(bundle), "device": "cpu", "threads": 1}
    return probe(Job(shot=shot.shot(**fields), settings=settings, run=run), quick=quick, trial=trial)


def codes(report: Report) -> set[str]:
    return {warning.code for warning in report.warnings}


def test_what_is_on_disk_is_found(shot, bundle_512):
    report = look(shot, bundle_512, frames="5-16")
    assert report.problem is None and report.frames is not None and report.picture is not None
    assert (report.frames.first, report.frames.last, report.frames.count) == (5, 16, 12)
    assert (report.frames.before, report.frames.after, report.frames.matte) == (4, 4, "1-20")
    assert (report.picture.width, report.picture.height) == (WIDTH, HEIGHT)
    assert (report.picture.channels, report.picture.filled) == (("R", "G", "B", "Z"), ("R", "G", "B"))
    assert set(report.picture.types) == {"half"}
    assert report.color == "scene-linear Rec.709"
    assert [one.frame for one in report.mattes] == list(range(1, 21))
    shares = {one.frame: one.share for one in report.mattes}
    assert shares[11] == 0 and abs(shares[5] - 24 * 20 / (WIDTH * HEIGHT)) < 0.01
    assert report.crops and report.crops[0].network == (64, 64)
    assert {"matte_flickers", "matte_empty", "handles_missing"} <= codes(report)
    assert report.suspected_cuts is None and report.cost is None


def test_plates_are_looked_at_and_frames_are_timed(shot, bundle_512):
    for frame in range(14, 21):
        write_plate(
            shot.plate(frame), np.where(np.arange(4) < 3, 0.02, 5).astype(np.float32) * picture(frame)
        )
    report = look(shot, bundle_512, quick=False)
    assert report.suspected_cuts == (14,) and "cut_suspected" in codes(report)
    assert look(shot, bundle_512, quick=False, cuts=(14,)).suspected_cuts == ()
    assert report.cost is not None and report.cost.device == "cpu"
    assert report.cost.seconds > report.cost.seconds_per_frame > 0
    assert 100 << 20 < report.cost.memory_bytes < report.cost.machine_bytes
    assert report.tried is not None and sum(report.tried.origins.values()) == pytest.approx(1)


def test_a_trial_says_how_much_of_the_holes_is_real_all_over_the_shot(shot, bundle_512):
    assert look(shot, bundle_512).tried is None
    report = look(shot, bundle_512, trial=True)
    assert report.tried is not None and report.tried.frames == "2,6,10,15,19"
    assert report.tried.origins["found"] > 0.5 and sum(report.tried.origins.values()) == pytest.approx(1)
    line = next(line for line in lines_of(report) if line.startswith("holes:"))
    assert "found in other frames" in line and line.endswith("tried on frames 2,6,10,15,19")


def test_nothing_is_written(shot, bundle_512, tmp_path):
    before = on_disk(tmp_path)
    for quick in (True, False):
        look(shot, bundle_512, quick=quick)
    assert on_disk(tmp_path) == before


def test_gaps_are_told_beside_the_problem(shot, bundle_512):
    shot.plate(7).unlink()
    shot.matte(9).unlink()
    report = look(shot, bundle_512)
    assert report.problem is not None and report.problem.exit_code == 3
    assert "lacks frames 7" in report.problem.message
    assert report.frames is not None
    assert (report.frames.plate_missing, report.frames.matte_missing) == ("7", "9")


def test_a_plate_of_another_size_is_a_problem_and_windows_that_differ_are_told(shot, bundle_512):
    write_plate(shot.plate(6), picture(6, (WIDTH * 2, HEIGHT)))
    report = look(shot, bundle_512)
    assert report.problem is not None and report.problem.exit_code == 2
    assert "same size" in report.problem.message and "plate.0006" in report.problem.message
    write_cropped(shot.plate(6), picture(6)[:40, :50])
    report = look(shot, bundle_512)
    assert report.problem is None and report.picture is not None
    assert report.picture.sizes["50x40 at 0,0"] == "6"
    assert "plate_size_changes" in codes(report)


def write_cropped(path: Path, pixels: np.ndarray) -> None:
    """The same display window, and a data window as large as the pixels."""
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 4, "half")
    spec.channelnames = ("R", "G", "B", "Z")
    spec.full_width, spec.full_height = WIDTH, HEIGHT
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec) and file.write_image(pixels.astype(np.float16)) and file.close()


def test_a_matte_that_can_not_be_read_leaves_what_was_read_before(shot, bundle_512):
    shot.matte(9).write_bytes(b"no picture")
    report = look(shot, bundle_512)
    assert report.problem is not None and report.problem.exit_code == 2
    assert [one.frame for one in report.mattes] == list(range(1, 9))


def test_a_full_matte_is_a_problem_and_looks_inverted(shot, bundle_512):
    for frame in range(1, 21):
        write_matte(shot.matte(frame), np.full((HEIGHT, WIDTH), 255, np.uint8))
    report = look(shot, bundle_512)
    assert report.problem is not None and "matte_inverted" in codes(report)


def test_a_still_matte_counts_on_every_frame(shot, bundle_512):
    still = shot.folder / "still.png"
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    matte[:20, :10] = 255
    write_matte(still, matte)
    job = Job(shot={**shot.shot().model_dump(), "matte": str(still)}, run={"model": str(bundle_512)})
    report = probe(job, quick=True)
    assert report.frames is not None and report.frames.matte is None
    assert len(report.mattes) == 20 and "matte_at_edge" in codes(report)


def test_an_unwritable_output_is_a_problem(shot, bundle_512):
    blocked = shot.folder / "file"
    blocked.write_text("")
    report = probe(
        Job(
            shot={**shot.shot().model_dump(), "output": str(blocked / "o.####.exr")},
            run={"model": str(bundle_512)},
        ),
        quick=True,
    )
    assert report.problem is not None and report.problem.exit_code == 2


def test_plate_and_matte_swapped_are_warned_of_and_machines_are_told_once(shot, bundle_512):
    for frame in range(1, 21):
        write_plate(shot.folder / f"png/p.{frame:04d}.png", np.clip(picture(frame)[..., :3], 0.1, 1))
    fields = {**shot.shot().model_dump(), "plate": shot.matte_pattern}
    fields |= {"matte": str(shot.folder / "png/p.####.png"), "output": str(shot.folder / "o/o.####.png")}
    report = probe(Job(shot=fields, run={"model": str(bundle_512)}), quick=True)
    told = report.as_dict()
    named = [one["code"] for one in told["warnings"]]
    assert named[0] == "matte_swapped" and named.count("matte_swapped") == 1 and "doubts" not in told


def test_a_movie_as_output_is_told_as_what_it_is(bundle_512, tmp_path):
    shot = make_shot(tmp_path, 1, 6, extension=".png")
    movie = shot.folder / "clean.mov"
    fields = {**shot.shot().model_dump(), "output": str(movie)}
    report = probe(Job(shot=fields, run={"model": str(bundle_512)}), quick=True)
    assert report.problem is None and report.output is not None
    assert report.output.path == str(movie) and "output_lossy" in codes(report)
    assert "output_there" not in codes(report)
    movie.write_bytes(b"a movie")
    there = probe(Job(shot=fields, run={"model": str(bundle_512)}), quick=True)
    assert "output_there" in codes(there)
    chunk = probe(Job(shot=fields, run={"model": str(bundle_512), "chunk": "1-5"}), quick=True)
    assert chunk.problem is not None and chunk.problem.exit_code == 2


def test_the_command_tells_people_and_machines(shot, bundle_512, tmp_path, capsys):
    job = tmp_path / "job.json"
    job.write_text(
        json.dumps({"shot": shot.shot().model_dump(mode="json"), "run": {"model": str(bundle_512)}})
    )
    assert main(["probe", "--job", str(job), "--quick"]) == 0
    told = capsys.readouterr().out
    assert "picture: 96x64" in told and "warning: " in told
    assert main(["probe", "--job", str(job), "--quick", "--json", "--frames", "1-25"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["problem"]["exit_code"] == 3 and found["frames"]["plate_missing"] == "21-25"
    assert main(["probe", "--job", str(job), "--model", "nobody", "--quick"]) == 4
    told_back = ["--matte-invert", "--no-matte-invert", "--no-matte-soft"]
    assert main(["probe", "--job", str(job), "--quick", *told_back]) == 0
    capsys.readouterr()
    arguments = ["--plate", shot.plate_pattern, "--matte", shot.matte_pattern, "--model", str(bundle_512)]
    assert main(["probe", *arguments, "--quick"]) == 0
    assert not Path("clean").exists()

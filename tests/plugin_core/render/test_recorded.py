"""The job that a render leaves beside its output, and who reads it there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from plugin_core.cli import main
from plugin_core.errors import InputError
from plugin_core.job.job import Job
from plugin_core.job.settings import Run, Settings
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.delivery import render
from plugin_core.render.recorded import recorded_job, write_job

from ..shots import QUICK, ShotOnDisk, make_shot, run_toy, same_files
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LAST = 8
GROWN = QUICK.model_copy(update={"grow": 6, "feather": 3})


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, LAST)


def test_the_job_renders_the_same_again_from_anywhere(shot, monkeypatch, tmp_path):
    monkeypatch.chdir(shot.folder)
    asked = shot.shot().model_copy(
        update={"plate": "plate/plate.####.exr", "matte": "./matte/../matte", "output": "out"}
    )
    run_toy(asked, GROWN, chunk="1-8", wait_seconds=1, progress_file=None, checkpoint_every=3)
    (shot.folder / "elsewhere").mkdir()
    monkeypatch.chdir(shot.folder / "elsewhere")
    job = Job.read(recorded_job(str(shot.folder / "out")))
    assert job.shot.frames == "1-8" and job.settings == GROWN
    assert job.run.model_dump(exclude_unset=True) == {"model": "vinet", "checkpoint_every": 3}
    for path in (job.shot.plate, job.shot.matte, job.shot.output):
        assert Path(path).is_absolute() and ".." not in path
    # Every setting is spelled out: another default of another version changes nothing.
    told = json.loads(recorded_job(str(shot.folder / "out")).read_text())
    assert set(told["settings"]) == set(Settings.model_fields)
    again = job.shot.model_copy(update={"output": str(shot.folder / "again")})
    run_toy(again, job.settings)
    for frame in range(1, LAST + 1):
        name = f"plate.{frame:04d}.exr"
        assert (shot.folder / "out" / name).read_bytes() == (shot.folder / "again" / name).read_bytes()


def test_qc_of_the_result_alone_knows_how_it_was_rendered(shot, capsys):
    """Forgotten --grow used to give some thousand pixels outside the matte that differ."""
    run_toy(shot.shot(), GROWN)
    assert main(["qc", "--result", shot.output(), "--json"]) in (0, 9)
    told = capsys.readouterr()
    checks = {check["name"]: check["verdict"] for check in json.loads(told.out)["checks"]}
    assert checks["untouched"] == checks["frames"] == "ok" and told.err == ""
    # What is given wins, and that it is another is said.
    assert main(["qc", "--result", shot.output(), "--grow", "1", "--json"]) == 9
    told = capsys.readouterr()
    assert '"FAULT"' in told.out and "grow is 1 here, the render had 6" in told.err
    job = shot.folder / "mine.json"
    job.write_text(json.dumps({"shot": shot.shot().model_dump(mode="json", exclude_none=True)}))
    assert main(["qc", "--job", str(job)]) == 9
    told = capsys.readouterr()
    assert "grow is 2 here, the render had 6; feather is 2 here, the render had 3" in told.err
    # A moved result still knows.
    shutil.move(shot.folder / "out", shot.folder / "moved")
    assert main(["qc", "--result", str(shot.folder / "moved" / "clean.####.exr"), "--json"]) in (0, 9)
    checks = {check["name"]: check["verdict"] for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["untouched"] == "ok"


def test_without_the_job_the_settings_of_the_matte_are_hinted_at(shot, capsys):
    run_toy(shot.shot(), GROWN)
    shutil.rmtree(shot.folder / "out" / ".cleanplate")
    pictures = ["--plate", shot.plate_pattern, "--matte", shot.matte_pattern]
    assert main(["qc", *pictures, "--result", shot.output()]) == 9
    told = capsys.readouterr().out
    assert "outside the matte differ" in told
    assert "No job.json of the render lies beside the result: if it had --grow, --feather" in told
    assert main(["qc", "--result", shot.output()]) == 2
    told = capsys.readouterr().err
    assert "No job.json of a render lies beside" in told and "give --plate and --matte" in told


def test_probe_of_the_result_alone(shot, bundle_512, capsys):
    run_toy(shot.shot(frames="2-6"), GROWN, model=str(bundle_512))
    assert main(["probe", "--result", shot.output(), "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plate"] == shot.plate_pattern and told["frames"]["first"] == 2


def test_ranges_that_meet_are_one_job_and_others_are_not(shot):
    state = str(shot.folder / "a.state")
    run_toy(shot.shot(frames="1-4"), GROWN, state_out=state)
    run_toy(shot.shot(frames="5-8"), GROWN, state_in=state)
    assert Job.read(recorded_job(shot.output())).shot.frames == "1-8"
    run_toy(shot.shot(frames="5-8"), QUICK, overwrite=True)
    assert Job.read(recorded_job(shot.output())).shot.frames == "5-8"
    run_toy(shot.shot("whole"), GROWN)
    same_files(shot, "out", "whole", range(1, 5))


def test_a_movies_job_lies_beside_the_movie(tmp_path):
    shot = make_shot(tmp_path, 1, 3, extension=".png")
    movie = tmp_path / "clean.mov"
    asked = shot.shot().model_copy(update={"output": str(movie)})
    jobs: list[Job] = []
    given = asked, GROWN, Run(), ToyNetwork(), Reporters([]), Stop()
    list(render(*given, recorded=jobs.append))
    assert jobs == [Job.read(recorded_job(str(movie)))] and jobs[0].shot.output == str(movie)


def test_a_job_is_written_where_asked_and_over_nothing_else(shot, tmp_path):
    asked = Job(shot=shot.shot(), settings=GROWN)
    write_job(tmp_path, asked)
    write_job(tmp_path / "job.json", asked)
    assert Job.read(tmp_path / "job.json").settings == GROWN
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(InputError, match=r"notes\.json is there already and holds no job"):
        write_job(tmp_path / "notes.json", asked)

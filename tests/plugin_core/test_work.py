"""Jobs that ask for something else than a render: in lists, workers, farms and Python, done and foretold."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import understand
from plugin_core.batch.state import plan_tasks
from plugin_core.batch.worker import Ending, Worker
from plugin_core.cli import main
from plugin_core.errors import InputError, SettingsError
from plugin_core.farm.engines import ENGINES
from plugin_core.farm.job import Manners, Needs, plan_farm
from plugin_core.images import read_plate
from plugin_core.job.job import Job
from plugin_core.job.path_map import mapped_job, read_rules
from plugin_core.render.recorded import recorded_job
from plugin_core.work import foretell

from .pictures_on_disk import save, spec_of

WIDTH, HEIGHT, LAST = 64, 48, 6
DIRT = slice(20, 26), slice(30, 37)
LIST = """\
defaults:
  plate: "{name}/plate.####.png"
  output: "out/{name}/o.####.png"
shots:
  - name: reel
    do: restore
    repair_grain: off
    chunk_frames: 2
  - name: tall
    plate: reel/plate.####.png
    matte: reel/matte.####.png
    do: retarget
    aspect: 2:3
    keep: crop
"""


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still picture with dirt on frame 2, and a matte that walks; a list that restores and retargets it."""
    folder = tmp_path_factory.mktemp("show")
    picture = np.random.default_rng(1).integers(90, 110, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    (folder / "reel").mkdir()
    for frame in range(1, LAST + 1):
        dirty, matte = picture.copy(), np.zeros((HEIGHT, WIDTH, 1), np.uint8)
        if frame == 2:
            dirty[DIRT] = 250
        matte[10:30, 4 * frame : 4 * frame + 10] = 255
        save(folder / f"reel/plate.{frame:04}.png", (spec_of(WIDTH, HEIGHT, "RGB", "uint8"), dirty))
        save(folder / f"reel/matte.{frame:04}.png", (spec_of(WIDTH, HEIGHT, "Y", "uint8"), matte))
    (folder / "shots.yaml").write_text(LIST, "utf-8")
    return folder


def jobs(show: Path, text: str = LIST) -> dict[str, Job]:
    path = show / "other.yaml"
    path.write_text(text, "utf-8")
    good, bad = understand(read_shot_list(path))
    assert not bad, bad[0].message
    return {shot.name: shot.job for shot in good}


def elsewhere(job: Job, output: Path, **run: object) -> Job:
    shot = job.shot.model_copy(update={"output": str(output / "o.####.png")})
    return job.model_copy(update={"shot": shot, "run": job.run.model_copy(update=run)})


def written(folder: Path) -> list[bytes]:
    return [read_plate(path).rgb.tobytes() for path in sorted(folder.glob("o.*.png"))]


def test_a_list_says_what_is_done_and_mistakes_have_their_line(show):
    asked = jobs(show)
    assert (asked["reel"].do, asked["reel"].restore.repair_grain, asked["reel"].shot.matte) == (
        "restore",
        "off",
        None,
    )
    assert (asked["tall"].do, asked["tall"].retarget.keep) == ("retarget", "crop")
    for old, new, told in (
        ("do: restore", "do: dance", "'do' should be"),
        (
            "aspect: 2:3",
            "aspect: wide",
            "other.yaml:13: shot tall: Retarget field 'aspect' should be width over",
        ),
        ("    aspect: 2:3\n", "", "say what the shot is to become by one of aspect"),
        ("    matte: reel/matte.####.png\n", "", "Shot needs the field 'matte'"),
        (
            "repair_grain: off",
            "sensitivity: 2",
            "other.yaml:7: shot reel: Restore field 'sensitivity' should be",
        ),
        ("repair_grain: off", "sensitivty: 1", "did you mean 'sensitivity'?"),
    ):
        (show / "other.yaml").write_text(LIST.replace(old, new), "utf-8")
        _, bad = understand(read_shot_list(show / "other.yaml"))
        assert len(bad) == 1 and told in bad[0].message, bad
    moved = mapped_job(
        elsewhere(asked["tall"], show).model_copy(
            update={"retarget": asked["tall"].retarget.model_copy(update={"clean": "/show/c.####.exr"})}
        ),
        read_rules(["/show=/mnt"]),
    )
    assert moved.retarget.clean == "/mnt/c.####.exr" and moved.do == "retarget"


def serve(*jobs: Job) -> list[dict]:
    lines = [
        {"id": str(number), "job": job.model_dump(exclude_unset=True)} for number, job in enumerate(jobs)
    ]
    out = io.StringIO()
    given = io.StringIO("".join(json.dumps(line) + "\n" for line in lines))
    assert Worker(out, Ending()).serve(given) == 0
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_worker_restores_and_retargets_and_chunks_are_those_of_one_go(show, tmp_path):
    asked = jobs(show)
    whole, parts, tall = tmp_path / "whole", tmp_path / "parts", tmp_path / "tall"
    chunks = [elsewhere(asked["reel"], parts, chunk=chunk) for chunk in ("3-6", "1-2")]
    events = serve(elsewhere(asked["reel"], whole), *chunks, elsewhere(asked["tall"], tall))
    results = [(event["exit_code"], event["frames"]) for event in events if event["event"] == "result"]
    assert results == [(0, 6), (0, 4), (0, 2), (0, 6)], events[-1]
    assert written(whole) == written(parts) and len(written(parts)) == LAST
    repaired, plate = (
        read_plate(folder / "o.0002.png" if folder is whole else show / "reel/plate.0002.png").rgb
        for folder in (whole, show)
    )
    assert repaired[DIRT].max() < 0.5 < plate[DIRT].min()
    assert read_plate(tall / "o.0001.png").header.width == 32
    assert Job.read(recorded_job(str(tall / "o.####.png"))).do == "retarget"
    assert recorded_job(str(parts / "o.####.png")) is not None

    # Going on: what is missing, and never over what somebody changed.
    (whole / "o.0004.png").unlink()
    again = elsewhere(asked["reel"], whole, resume=True)
    assert (
        foretell(again).forecast.as_dict() | {"action": "resume", "from": 4, "frames": 1}
        == foretell(again).as_dict()
    )
    assert [e["frames"] for e in serve(again) if e["event"] == "result"] == [1]
    assert foretell(again).forecast.action == "nothing"
    (whole / "o.0005.png").write_bytes((show / "reel/plate.0002.png").read_bytes())
    told = foretell(again).forecast
    assert (told.action, told.edited) == ("occupied", "5")
    refused, kept = serve(again)[-1], serve(elsewhere(asked["reel"], whole, keep_edited=True))[-1]
    assert refused["exit_code"] == 2 and "frame 5 was changed" in refused["message"]
    assert (kept["exit_code"], kept["frames"]) == (0, 0)
    strict = asked["reel"].restore.model_copy(update={"sensitivity": 0.9})
    other = foretell(
        again.model_copy(
            update={"restore": strict, "run": again.run.model_copy(update={"keep_edited": True})}
        )
    )
    assert (
        other.forecast.action == "overwrite" and "sensitivity was 0.5, now is 0.9" in other.forecast.reasons
    )


def test_farms_cut_what_is_exact_and_check_all_of_it(show, tmp_path):
    text = (
        LIST + '  - {name: plain, plate: "reel/plate.####.png", matte: "reel/matte.####.png", frames: 1-6}\n'
    )
    (show / "farm.yaml").write_text(text, "utf-8")
    good, _ = understand(read_shot_list(show / "farm.yaml"))
    planned = plan_farm("night", tmp_path, good, Needs(), Manners())
    assert [(len(shot.parts), shot.is_chain, shot.paint) for shot in planned.shots] == [
        (3, False, None),
        (1, False, None),
        (1, False, None),
    ]
    assert [len(plan_tasks([shot], [])[1]) for shot in good] == [3, 1, 1]
    for name, engine in ENGINES.items():
        job = plan_farm("night", tmp_path / name, good, Needs(), Manners())
        engine.write(job)
        fields = json.loads((tmp_path / name / "jobs/reel.json").read_text("utf-8"))
        assert fields["do"] == "restore" and fields["run"]["resume"] and "matte" not in fields["shot"]
        assert all(job.last_step(shot) for shot in job.shots), name
    review = text.replace("repair_grain: off", "review: look")
    (show / "farm.yaml").write_text(review, "utf-8")
    good, _ = understand(read_shot_list(show / "farm.yaml"))
    with pytest.raises(InputError, match="leave chunk_frames or review out"):
        plan_farm("night", tmp_path, good, Needs(), Manners())


def test_python_and_commands_do_what_a_job_asks_for_and_no_other(show, tmp_path, capsys):
    asked = jobs(show)
    detect = elsewhere(asked["reel"].model_copy(update={"do": "detect"}), tmp_path / "m")
    found = {one.frame: one.finds for one in cleanplate.restore_job(detect)}
    assert found == {frame: int(frame == 2) for frame in range(1, LAST + 1)}
    matte = tmp_path / "m/o.####.png"
    assert read_plate(tmp_path / "m/o.0002.png").rgb[DIRT].min() == 1
    # The same repaired by the matte as by detection.
    shot = asked["reel"].shot.model_copy(update={"matte": str(matte)})
    given = elsewhere(asked["reel"].model_copy(update={"shot": shot}), tmp_path / "given")
    found_again = elsewhere(asked["reel"], tmp_path / "found")
    for job in (given, found_again):
        assert [one.frame for one in cleanplate.restore_job(job)] == [*range(1, LAST + 1)]
    assert written(tmp_path / "given") == written(tmp_path / "found")
    run = given.run.model_copy(
        update={"progress_file": str(tmp_path / "found/o.0001.png"), "overwrite": True}
    )
    listed = given.restore.model_copy(update={"protect": str(tmp_path / "found/o.####.png")})
    with pytest.raises(InputError, match="is a file that is read"):
        list(cleanplate.restore_job(given.model_copy(update={"restore": listed, "run": run})))
    with pytest.raises(InputError, match="needs no state"):
        list(cleanplate.restore_job(elsewhere(given, tmp_path / "given", state_out="s.state")))
    with pytest.raises(SettingsError, match="is to restore"):
        cleanplate.retarget_job(given)
    assert (
        cleanplate.forecast_job(given).action == "resume"
        or cleanplate.forecast_job(given).action == "nothing"
    )

    path = tmp_path / "job.json"
    path.write_text(
        json.dumps(elsewhere(asked["tall"], tmp_path / "t").model_dump(exclude_unset=True)), "utf-8"
    )
    assert main(["render", "--job", str(path), "--dry-run", "--progress", "json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["event"], told["action"], told["frames"], told["size"]) == ("plan", "start", LAST, [32, 48])
    movie = ["--output", str(tmp_path / "tall.mov")]
    assert main(["render", "--job", str(path), "--progress", "none", *movie]) == 0
    assert (tmp_path / "tall.mov").is_file() and not list((tmp_path / ".cleanplate").rglob("*.tif"))
    assert main(["retarget", "--job", str(path), "--resume", "--progress", "none", *movie]) == 0
    assert main(["restore", "--job", str(path), *movie]) == 2
    assert main(["qc", "--job", str(path)]) == 9
    said = capsys.readouterr()
    assert "is to retarget, and this command is to restore;" in said.err and "missing: 1-6" in said.out

"""One page for many shots: of a batch, of a farm's tasks, and while a shot is rendered."""

from __future__ import annotations

import pytest

from plugin_core.batch.pages import IndexedView, Pages
from plugin_core.batch.shots import BatchShot
from plugin_core.batch.state import ShotProgress
from plugin_core.cli import main
from plugin_core.job.job import Job
from plugin_core.render.recorded import recorded_job
from plugin_core.review.build import Review
from plugin_core.review.index import Listed, begin_index, folder_name
from plugin_core.review.live import Clock, follow
from plugin_core.review.place import Folder

from ..shots import ShotOnDisk, make_shot, run_toy
from .reviewed import HOSTILE, data_of, rendered_shot

pytestmark = pytest.mark.usefixtures("no_sync")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> ShotOnDisk:
    return rendered_shot(tmp_path_factory.mktemp("shot"), 1, 4)


class Silent:
    def show(self, shots: object) -> None: ...
    def ended(self, shot: object) -> None: ...
    def warned(self, shot: object, message: str) -> None: ...


def job_of(shot: ShotOnDisk) -> Job:
    path = recorded_job(shot.output())
    assert path is not None
    return Job.read(path)


def test_a_batchs_index_tells_how_it_goes_and_leads_to_pages(shot, tmp_path):
    good = ShotProgress("sh010", shot.output(), total=4, open_tasks=1)
    failing = ShotProgress(HOSTILE, str(tmp_path / "no" / "clean.####.exr"), total=9, open_tasks=1)
    pages = Pages(tmp_path / "pages", "night", [good, failing])
    index = tmp_path / "pages" / "index.html"
    begun = data_of(index)
    assert begun["live"] and [one["state"] for one in begun["shots"]] == ["waiting", "waiting"]
    view = IndexedView(Silent(), pages)
    failing.end(3, "Plate frames 3-9 are missing.")
    view.ended(failing)
    good.hear("sh010", {"event": "done", "done": 4})
    good.end(0, "")
    assert pages.write([BatchShot("sh010", job_of(shot), None, 2)], lambda doing: None) == index
    data = data_of(index)
    first, second = data["shots"]
    assert not data["live"] and (first["state"], first["done"], first["page"]) == (
        "done",
        4,
        "sh010/review.html",
    )
    assert first["verdict"] == "FAULT" and "flicker" in first["sentences"][0]
    assert (second["state"], second["page"], second["name"]) == ("failed", None, HOSTILE)
    assert "frames 3-9" in second["message"] and "<img" not in index.read_text("utf-8")
    assert data_of(tmp_path / "pages" / "sh010" / "review.html")["shot"] == "sh010"
    moving = tmp_path / "pages" / first["moving"]
    assert moving.read_bytes()[8:12] == b"WEBP" and b"ANIM" in moving.read_bytes()[:64]


def test_a_farms_tasks_write_one_index(shot, tmp_path, capsys):
    (tmp_path / "shots.yaml").write_text(
        f"shots:\n  - name: sh010\n    plate: {shot.plate_pattern}\n    matte: {shot.matte_pattern}\n"
        f"    output: {shot.output()}\n    grow: 0\n    feather: 0\n"
        f"  - name: sh020\n    plate: {shot.plate_pattern}\n    matte: {shot.matte_pattern}\n"
        f"    output: {tmp_path / 'two' / 'clean.####.exr'}\n"
    )
    pages, job = tmp_path / "pages", tmp_path / "job"
    given = ["farm", "tractor", str(tmp_path / "shots.yaml"), "--output", str(job), "--review", str(pages)]
    assert main(given) == 0
    text = next(job.rglob("*.alf")).read_text("utf-8")
    assert f"{{review}} {{--job}} {{{job}/jobs/sh010.json}} {{--index}} {{{pages}}} {{--fail}}" in text
    # By the journal of its output, the first is rendered already.
    assert [one["state"] for one in data_of(pages / "index.html")["shots"]] == ["done", "waiting"]
    assert main(["review", "--job", f"{job}/jobs/sh010.json", "--index", str(pages), "--fail"]) == 9
    first, second = data_of(pages / "index.html")["shots"]
    assert first["page"] == "sh010/review.html" and first["seconds"] > 0 and second["page"] is None
    assert main(["review", "--index", str(pages)]) == 0
    assert str(pages / "index.html") in capsys.readouterr().out
    assert main([*given, "--qc", "qc --job {job} --grow 1"]) == 2


def test_a_folder_of_pages_is_an_index_without_a_list(shot, tmp_path):
    begin_index(tmp_path, "some", [Listed(name="a/b", output="x")])
    (tmp_path / "shots.json").unlink()
    given = ["--result", shot.output(), "--index", str(tmp_path), "--name", "../sh/030"]
    assert main(["review", *given]) == 0
    assert [one["name"] for one in data_of(tmp_path / "index.html")["shots"]] == ["sh_030"]
    assert folder_name("...") == "shot"


def test_a_page_follows_its_render(tmp_path):
    shot = make_shot(tmp_path / "shot", 1, 6)
    run_toy(shot.shot())
    hidden = {frame: shot.written(frame).read_bytes() for frame in range(3, 7)}
    for frame in hidden:
        shot.written(frame).unlink()
    now = [0.0]
    page = tmp_path / "page" / "review.html"
    seen = []

    def sleep(seconds: float) -> None:
        now[0] += 10
        if page.exists():
            seen.append(data_of(page)["live"])
        if len(seen) == 1:
            for frame in (3, 4):
                shot.written(frame).write_bytes(hidden[frame])

    review = Review(job_of(shot), Folder(page.parent))
    report = follow(review, lambda doing: None, clock=Clock(lambda: now[0], sleep))
    assert report is not None and [one.frame for one in report.frames] == [1, 2, 3, 4]
    assert seen[0] == {"done": 1, "total": 6, "every": 5.0}
    assert data_of(page)["live"] == {"done": 4, "total": 6, "every": 0}
    nothing = Review(job_of(shot), Folder(tmp_path / "none"))
    shot.written(1).unlink()
    assert follow(nothing, lambda doing: None, clock=Clock(lambda: now[0], sleep)) is None

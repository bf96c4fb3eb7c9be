"""A restored shot as a movie: done when it is made, known again, never taken from anyone."""

from pathlib import Path

import numpy as np
import pytest

from plugin_core.clips.movie_read import MovieReader
from plugin_core.errors import InputError, Interrupted
from plugin_core.job.job import Job
from plugin_core.job.restore_settings import Restore
from plugin_core.job.settings import Run, Shot
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.progress.text import Event
from plugin_core.restore.run import restore
from tests.plugin_core.pictures_on_disk import save, spec_of


class _Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def report(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass


def _asked(folder: Path, kinds: str = "all", **run: object) -> Job:
    shot = Shot(plate=f"{folder}/plate.####.png", output=str(folder / "clean.mov"))
    return Job(do="restore", shot=shot, restore=Restore(kinds=kinds, repair_grain="off"), run=Run(**run))


def _run(folder: Path, **fields: object) -> tuple[int, list[Event]]:
    heard = _Heard()
    frames = sum(
        1 for _ in restore(_asked(folder, **fields), Reporters([heard], heartbeat_seconds=None), Stop())
    )
    return frames, [event for event in heard.events if event["event"] != "phase"]


def test_a_movie_is_made_once_and_then_known_as_finished(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(90, 110, (48, 64, 3)).astype(np.uint8)
    for frame in range(1, 5):
        dirty = picture.copy()
        dirty[20:26, 30:37] = 250 if frame == 2 else dirty[20:26, 30:37]
        save(tmp_path / f"plate.{frame:04}.png", (spec_of(64, 48, "RGB", "uint8"), dirty))
    movie = tmp_path / "clean.mov"

    stopped = Stop()
    with pytest.raises(Interrupted):
        for number, _ in enumerate(restore(_asked(tmp_path), Reporters([], heartbeat_seconds=None), stopped)):
            if number == 1:
                stopped.request(130)
    assert not movie.exists()
    frames, events = _run(tmp_path, resume=True)
    assert frames == 2 and events[-1]["event"] == "done"
    assert [event["event"] for event in events].count("done") == 1
    with MovieReader(movie) as reader:
        shown = reader.read(2 - 1 + reader.frames.first).rgb
    assert shown[20:26, 30:37].max() < 0.6
    assert not list((tmp_path / ".cleanplate").rglob("*.tif"))

    written = movie.stat().st_mtime_ns
    frames, events = _run(tmp_path, resume=True)
    assert frames == 0 and any("is finished" in str(event.get("message")) for event in events)
    assert events[-1]["event"] == "done" and movie.stat().st_mtime_ns == written
    with pytest.raises(InputError, match="--resume"):
        _run(tmp_path)
    frames, _ = _run(tmp_path, resume=True, kinds="scratches")  # another movie than the one that is there
    assert frames == 4 and movie.stat().st_mtime_ns != written
    movie.write_bytes(b"someone's own")
    (tmp_path / ".cleanplate" / "clean.mov" / "movie.json").unlink()
    with pytest.raises(InputError, match="no run of ours"):
        _run(tmp_path, resume=True)

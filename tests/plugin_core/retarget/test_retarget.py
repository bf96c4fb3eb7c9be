"""A moving object over a known background: what is laid back, where, and what lies behind it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.cli import main
from plugin_core.errors import Interrupted
from plugin_core.images import read_plate
from plugin_core.job.job import Job
from plugin_core.job.retarget_settings import Retarget
from plugin_core.job.settings import Run, Settings, Shot
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.retarget.clean_plate import clean_job
from plugin_core.retarget.paths import held
from plugin_core.retarget.resample import resized
from plugin_core.retarget.retarget import plan_retarget, retarget
from plugin_core.retarget.steady import curve, steadied, whole
from plugin_core.work import foretell

from ..pictures_on_disk import save, spec_of
from ..toy_network import ToyNetwork

WIDTH, HEIGHT, FRAMES = 240, 64, range(1, 7)
ALPHA = np.pad(np.ones((20, 12), np.float32), 2, constant_values=0.5)
"""An opaque body with a rim of half transparency."""


def _background(width: int, height: int) -> np.ndarray:
    """A smooth picture that can be told at any size, (H, W, 3) in linear light."""
    x = (np.arange(width) + 0.5) / width
    y = ((np.arange(height) + 0.5) / height)[:, np.newaxis]
    planes = [
        0.4 + 0.2 * np.sin(2 * np.pi * (3 * x + phase)) * np.cos(2 * np.pi * y) for phase in (0, 0.2, 0.5)
    ]
    return np.stack(planes, axis=2).astype(np.float32)


def _lefts(frame: int) -> tuple[int, int]:
    """Where two objects' bodies begin; the second one's arm goes in and out."""
    return 40 + 3 * frame, 190 - 2 * frame


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("retarget")
    texture = np.random.default_rng(1).uniform(0, 2, (*ALPHA.shape, 3)).astype(np.float32)
    for name in ("plate", "matte", "clean"):
        (folder / name).mkdir()
    for frame in FRAMES:
        clean = _background(WIDTH, HEIGHT)
        plate, matte = clean.copy(), np.zeros((HEIGHT, WIDTH), np.float32)
        for number, left in enumerate(_lefts(frame)):
            here = slice(20, 20 + ALPHA.shape[0]), slice(left, left + ALPHA.shape[1])
            share = ALPHA[..., np.newaxis]
            plate[here] = texture * share + plate[here] * (1 - share)
            matte[here] = ALPHA
            if number and frame % 2:
                arm = slice(28, 32), slice(left + ALPHA.shape[1], left + ALPHA.shape[1] + 8)
                matte[arm], plate[arm] = 1, 0
        about = {"full_width": WIDTH, "full_height": HEIGHT, "PixelAspectRatio": 2.0, "Artist": "Ann"}
        depth = np.full((HEIGHT, WIDTH, 1), 7, np.float32)
        spec = spec_of(WIDTH, HEIGHT, ("R", "G", "B", "Z"), "half", **about)
        save(folder / f"plate/p.{frame:04d}.exr", (spec, np.concatenate([plate, depth], axis=2)))
        save(folder / f"clean/c.{frame:04d}.exr", (spec_of(WIDTH, HEIGHT, "RGB", "float", **about), clean))
        save(
            folder / f"matte/m.{frame:04d}.exr", (spec_of(WIDTH, HEIGHT, "Y", "half"), matte[..., np.newaxis])
        )
    return folder


def _run(shot: Path, output: Path, *options: str) -> int:
    given = ["--plate", str(shot / "plate"), "--matte", str(shot / "matte"), "--clean", str(shot / "clean")]
    where = ["--output", str(output / "o.####.exr"), "--threads", "1", "--progress", "none"]
    return main(["retarget", *given, *where, *options])


def _picture(folder: Path, frame: int) -> np.ndarray:
    return read_plate(folder / f"o.{frame:04d}.exr").rgb


def _plan(shot: Path, output: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    assert _run(shot, output, *options, "--dry-run", "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_objects_keep_their_pixels_and_the_background_is_squeezed(shot, tmp_path, capsys):
    plan = _plan(shot, tmp_path, capsys, "--squeeze", "0.5")
    assert plan["size"] == [WIDTH // 2, HEIGHT] and len(plan["objects"]) == 2 and not plan["warnings"]
    assert not list(tmp_path.iterdir())
    assert _run(shot, tmp_path, "--squeeze", "0.5") == 0
    squeezed = _background(WIDTH // 2, HEIGHT)
    share = ALPHA[..., np.newaxis]
    for frame in FRAMES:
        plate, done = read_plate(shot / f"plate/p.{frame:04d}.exr").rgb, _picture(tmp_path, frame)
        free = np.ones(done.shape[:2], bool)
        for number, left in enumerate(_lefts(frame)):
            across, down = plan["objects"][number]["shifts"][str(frame)]
            assert down == 0
            there = slice(20, 44), slice(left + across, left + across + ALPHA.shape[1])
            free[there[0], there[1].start : there[1].stop + 10] = False
            own = plate[20:44, left : left + ALPHA.shape[1]]
            assert np.array_equal(done[there][ALPHA == 1], own[ALPHA == 1])
            # The object's own light, without the background that it stood before.
            before = _background(WIDTH, HEIGHT)[20:44, left : left + ALPHA.shape[1]]
            truth = own - (1 - share) * before + (1 - share) * squeezed[there]
            assert np.abs(done[there] - truth).max() < 3e-3
        assert np.abs(done - squeezed)[free].max() < 3e-3
    assert main(["qc", "--result", f"{tmp_path}/o.####.exr", "--json", str(tmp_path / "qc.json")]) == 0
    report = json.loads((tmp_path / "qc.json").read_text("utf-8"))
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert len(verdicts) == 8 and set(verdicts.values()) == {"ok"}
    assert max(frame["stray"] for frame in report["frames"]) < 0.5
    assert main(["review", "--result", f"{tmp_path}/o.####.exr", "--page", str(tmp_path / "page")]) == 0
    assert "cleanplate retarget --plate" in (tmp_path / "page" / "review.html").read_text("utf-8")
    spec = oiio.ImageInput.open(str(tmp_path / "o.0001.exr")).spec()
    assert (spec.full_width, spec.full_height, spec.width, spec.x) == (WIDTH // 2, HEIGHT, WIDTH // 2, 0)
    assert spec.channelnames == ("R", "G", "B") and str(spec.format) == "half"
    assert (spec.getattribute("PixelAspectRatio"), spec.getattribute("Artist")) == (2.0, "Ann")


def test_a_clean_plate_that_would_keep_the_object_is_told(shot, tmp_path, capsys):
    given = ["--plate", str(shot / "plate"), "--matte", str(shot / "matte"), "--squeeze", "0.5"]
    given += ["--output", str(tmp_path / "o.####.exr"), "--dry-run", "--json"]
    for more, count in (
        ([], 0),
        (["--paint", "off"], 1),
        (["--paint", "off", "--clean", str(shot / "clean")], 0),
    ):
        assert main(["retarget", *given, *more]) == 0
        warnings = json.loads(capsys.readouterr().out)["warnings"]
        assert sum("seen twice" in each for each in warnings) == count


def test_qc_finds_an_object_that_is_not_the_plates(shot, tmp_path, capsys):
    assert _run(shot, tmp_path, "--squeeze", "0.5", "--frames", "1-2") == 0
    capsys.readouterr()
    file = oiio.ImageBuf(str(tmp_path / "o.0002.exr"))
    pixels = file.get_pixels(oiio.FLOAT)
    pixels[30] = np.nextafter(pixels[30].astype(np.float16), np.float16(9)).astype(np.float32)
    changed = oiio.ImageBuf(np.ascontiguousarray(pixels))
    assert changed.write(str(tmp_path / "o.0002.exr"), "half")
    assert main(["qc", "--result", f"{tmp_path}/o.####.exr"]) == 9
    assert "are not the plate's on frame 2" in capsys.readouterr().out


def test_positions_are_steady_though_the_outline_is_not(shot, tmp_path, capsys):
    plan = _plan(shot, tmp_path, capsys, "--squeeze", "0.5")
    frames = np.array(FRAMES)
    for number in (0, 1):
        lies = np.array([_lefts(f)[number] + plan["objects"][number]["shifts"][str(f)][0] for f in FRAMES])
        away = lies - np.polyval(np.polyfit(frames, lies, 1), frames)
        assert np.abs(away).max() < 0.5
        assert np.abs(lies.mean() + 8 - (np.mean([_lefts(f)[number] for f in FRAMES]) + 8) / 2) < 1.5


def test_resume_makes_what_is_missing_or_made_of_something_else(shot, tmp_path, capsys):
    assert _run(shot, tmp_path, "--squeeze", "0.5", "--frames", "1-3") == 0
    first, second, third = (tmp_path / f"o.{frame:04d}.exr" for frame in (1, 2, 3))
    before, whole = third.stat().st_mtime_ns, second.read_bytes()
    assert _run(shot, tmp_path, "--squeeze", "0.5", "--frames", "1-3") == 2
    assert "--resume" in capsys.readouterr().err
    second.unlink()
    assert _run(shot, tmp_path, "--squeeze", "0.5", "--frames", "1-3", "--resume") == 0
    assert read_plate(second).rgb.tobytes() == _same(tmp_path, whole)
    assert third.stat().st_mtime_ns == before
    assert _run(shot, tmp_path, "--squeeze", "0.6", "--frames", "1-3", "--resume") == 4
    assert "format is" in capsys.readouterr().err
    assert _run(shot, tmp_path, "--squeeze", "0.6", "--frames", "1-3", "--overwrite") == 0
    assert read_plate(third).header.width == 144
    first.write_bytes(third.read_bytes())  # by hand
    assert _run(shot, tmp_path, "--squeeze", "0.6", "--frames", "1-3", "--resume") == 2
    assert "changed since" in capsys.readouterr().err
    assert _run(shot, tmp_path, "--squeeze", "0.6", "--frames", "1-3", "--keep-edited") == 0
    assert first.read_bytes() == third.read_bytes()


def _same(folder: Path, content: bytes) -> bytes:
    kept = folder / "kept.exr"
    kept.write_bytes(content)
    return read_plate(kept).rgb.tobytes()


def test_a_window_follows_the_objects_bit_for_bit_and_tells_whom_it_loses(shot, tmp_path, capsys):
    plan = _plan(shot, tmp_path, capsys, "--aspect", "2:1", "--keep", "crop", "--frames", "2")
    assert plan["size"] == [64, HEIGHT]  # pixels twice as wide as high
    assert any("outside the window" in each for each in plan["warnings"])
    assert _run(shot, tmp_path, "--aspect", "2:1", "--keep", "crop", "--frames", "2") == 0
    left = -plan["objects"][0]["shifts"]["2"][0]
    plate = read_plate(shot / "plate/p.0002.exr").rgb
    assert np.array_equal(_picture(tmp_path, 2), plate[:, left : left + 64])


def test_another_size_scales_objects_and_pixels_may_become_square(shot, tmp_path, capsys):
    options = "--size", "240x128", "--pixel-aspect", "1", "--frames", "3"
    plan = _plan(shot, tmp_path, capsys, *options)
    assert plan["objects_scale"] == [4.0, 2.0] and plan["background"] == [1.0, 2.0]
    assert _run(shot, tmp_path, *options) == 0
    done = _picture(tmp_path, 3)
    assert done.shape == (128, 240, 3)
    across, _ = plan["objects"][0]["shifts"]["3"]
    body = read_plate(shot / "plate/p.0003.exr").rgb[22:42, _lefts(3)[0] + 2 : _lefts(3)[0] + 14]
    begins = (_lefts(3)[0] + 2) * 4 + across
    assert abs(done[46:82, begins + 4 : begins + 44].mean() - body.mean()) < 0.05


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "one of aspect"),
        (("--aspect", "9:0"), "--aspect should be"),
        (("--size", "10"), "--size should be"),
        (("--squeeze", "1.5"), "--squeeze should be"),
        (("--squeeze", "0.5", "--smooth", "-1"), "--smooth should be"),
        (("--squeeze", "0.5", "--output", "a.mov"), "floating-point"),
        (("--squeeze", "0.5", "--clean", "nowhere.####.exr"), "nowhere"),
        (("--size", "20x60", "--strict"), "Refused because of --strict"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(shot, tmp_path, capsys, options, said):
    assert _run(shot, tmp_path, *options) in (2, 3)
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*.exr"))


def test_a_shadow_goes_along_and_darkens_the_new_background(shot, tmp_path, capsys):
    """A shadow beside the first object, of half the light, by a matte of its own."""
    (tmp_path / "shadow").mkdir()
    (tmp_path / "plate").mkdir()
    left = _lefts(3)[0]
    plate = read_plate(shot / "plate/p.0003.exr").rgb
    shade = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    shade[36:42, left + 16 : left + 30] = 1
    plate = np.where(shade > 0, plate / 2, plate)
    save(tmp_path / "plate/p.0003.exr", (spec_of(WIDTH, HEIGHT, "RGB", "float"), plate))
    save(tmp_path / "shadow/s.0003.exr", (spec_of(WIDTH, HEIGHT, "Y", "half"), shade))
    options = (
        "--plate",
        str(tmp_path / "plate"),
        "--shadow-matte",
        str(tmp_path / "shadow"),
        "--squeeze",
        "0.5",
    )
    plan = _plan(shot, tmp_path, capsys, *options)
    assert _run(shot, tmp_path, *options) == 0
    at = left + plan["objects"][0]["shifts"]["3"][0]
    done, squeezed = _picture(tmp_path, 3), _background(WIDTH // 2, HEIGHT)
    under = slice(36, 42), slice(at + 16, at + 30)
    assert np.abs(done[under] - squeezed[under] / 2).max() < 3e-3
    beside = slice(44, 60), slice(at + 16, at + 30)
    assert np.abs(done[beside] - squeezed[beside]).max() < 3e-3


def test_an_object_larger_than_the_output_shows_its_middle_without_a_jump():
    frames = np.arange(40)
    low, high = np.full(40, -10.0), np.full(40, 10.0)
    low[20:] = 14  # from here on nothing fits: the middle is 12
    way = held(40 * np.sin(frames / 6), low, high, 8)
    assert np.abs(np.diff(way)).max() < 7 and np.allclose(way[28:], 12)
    assert (way[:20] <= 12).all() and (way[:12] >= -10).all()


def test_a_way_is_rounded_off_and_its_whole_pixels_stray_by_less_than_a_half():
    frames = np.arange(60.0)
    kinked = np.where(frames < 25, 0.73 * frames, 18.25) + 3 * np.sin(frames / 9)
    low, high = np.full(60, -50.0), np.full(60, 50.0)
    high[24] = 20.4  # one frame's limit, as of an arm that is flung out
    way = steadied(np.clip(kinked, low, high), low, high, 8)
    assert np.abs(way - curve(way, 8)).max() < 0.1 and np.abs(way - kinked).max() < 3
    pixels = whole(way, low, high, 8)
    assert np.abs(pixels - curve(pixels.astype(float), 8)).max() < 0.5
    assert pixels[24] <= 20 and np.abs(pixels - way).max() < 1
    # A limit far from what is wanted that ends in a kink, as of a man who comes up from below.
    high = np.maximum(-225 - 6 * frames, -285)
    way = steadied(-215 - 100 / (1 + np.exp((14 - frames) / 4)), high - 60, high, 8)
    pixels = whole(way, high - 60, high, 8)
    assert (pixels <= high).all() and (pixels >= high - 60).all()
    assert np.abs(pixels - curve(pixels.astype(float), 8)).max() < 0.5
    steady = 1.5 * frames - 7.25
    assert np.abs(whole(steadied(steady, -np.inf, np.inf, 8), -np.inf, np.inf, 8) - steady).max() < 0.5


@pytest.mark.slow
def test_the_clean_plate_is_rendered_beside_the_output_where_none_is_given(shot, tmp_path, bundle_512):
    given = ["--plate", str(shot / "plate"), "--matte", str(shot / "matte"), "--frames", "1-2"]
    render = ["--model", str(bundle_512), "--device", "cpu", "--working-size", "64", "--context", "16"]
    render += ["--paint", "off", "--propagate", "0", "--threads", "1", "--progress", "none"]
    where = ["--squeeze", "0.5", "--output", str(tmp_path / "o.####.exr")]
    assert main(["retarget", *given, *render, *where]) == 0
    assert sorted(path.name for path in (tmp_path / "clean").glob("*.exr")) == ["p.0001.exr", "p.0002.exr"]
    assert _picture(tmp_path, 1).shape == (HEIGHT, WIDTH // 2, 3)


class _Heard:
    def __init__(self) -> None:
        self.events: list[dict] = []

    def report(self, event: dict) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass


def test_a_clean_plate_is_a_phase_before_the_first_frame_and_goes_on_after_a_stop(
    shot, tmp_path, monkeypatch
):
    pictures = {"plate": str(shot / "plate"), "matte": str(shot / "matte"), "frames": "1-4"}
    job = Job(
        do="retarget",
        shot=Shot(output=str(tmp_path / "tall/o.####.exr"), **pictures),
        settings=Settings(paint="off", propagate=0, working_size=64, context=16),
        run=Run(threads=1),
        retarget=Retarget(squeeze="0.5"),
    )
    assert "the clean plate is rendered first" in foretell(job).forecast.reasons
    monkeypatch.chdir(tmp_path)
    relative = job.model_copy(update={"shot": job.shot.model_copy(update={"output": "tall/o.####.exr"})})
    assert (
        clean_job(relative, plan_retarget(relative, dry=True).sources).shot.output == "tall/clean/p.####.exr"
    )
    heard, stop = _Heard(), Stop()

    def stopping(event: dict) -> None:
        if event.get("phase") == "cleaning" and event["done"] == 2:
            stop.request(143)

    heard.report = lambda event: (heard.events.append(event), stopping(event))
    reporters = Reporters([heard])
    reporters.phase = lambda *told: heard.report({"event": "phase", "phase": str(told[0]), "done": told[1]})
    with pytest.raises(Interrupted):
        list(retarget(job, ToyNetwork, reporters, stop))
    assert (
        not list((tmp_path / "tall").glob("o.*")) and len(list((tmp_path / "tall/clean").glob("*.exr"))) < 4
    )
    heard = _Heard()
    done = [one.frame for one in retarget(job, ToyNetwork, Reporters([heard]), Stop())]
    assert done == [1, 2, 3, 4] and len(list((tmp_path / "tall/clean").glob("*.exr"))) == 4
    kinds = [event["event"] for event in heard.events if event["event"] not in ("phase", "note", "origins")]
    assert kinds == ["start", *["frame"] * 4, "done"]
    assert "cleaning" in {event.get("phase") for event in heard.events}


def test_a_sun_has_no_ring_and_keeps_its_light():
    picture = np.full((24, 96, 3), 0.5, np.float32)
    picture[10:14, 40:46] = 80
    done = resized(picture, 32, 24)
    assert done.min() > 0.499
    assert np.isclose(done.sum() * 3, picture.sum(), rtol=0.02)

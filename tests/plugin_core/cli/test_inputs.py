"""What is said of every input, good and bad: `inputs.txt` beside this is one list to be read and judged.

Each case is a shot of three frames in a folder of its own, changed as `given` says, and a command. The list
has its exit code and all that it says but for the crop: notes, warnings and the error. After a change of a
sentence `python -m tests.plugin_core.cli.test_inputs` writes the list anew.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from plugin_core import api, cli
from plugin_core.api import Model
from plugin_core.images import write
from plugin_core.render import sources

from ..pictures_on_disk import save, spec_of
from ..shots import hole, make_shot, picture, write_matte, write_plate
from ..toy_network import ToyNetwork

FRAMES = range(1001, 1004)
SIZE = (48, 32)
QUICK = ["--propagate", "off", "--working-size", "64", "--context", "16", "--exposure", "0"]
QUICK += ["--grow", "0", "--feather", "0", "--device", "cpu", "--threads", "1", "--progress", "json"]
ABOUT = """Written by `python -m tests.plugin_core.cli.test_inputs`, which makes the inputs.

A render is `cleanplate render --plate plate/plate.####.exr --matte matte/matte.####.png
--output out/clean.####.exr --colorspace linear`; only what is given otherwise is shown.
"""
_VERSION = re.compile(r"studio-config-v[\w.-]+")
LIST = Path(__file__).with_name("inputs.txt")
Given = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        title: what it is.
        words: the command's.
        given: changes the shot's folder before.
        disk: what its output's disk is like: read-only, or full.
    """

    title: str
    words: Sequence[str]
    given: Given = lambda folder: None
    disk: str = ""


def render(
    *options: str,
    plate: str = "plate/plate.####.exr",
    matte: str = "matte/matte.####.png",
    output: str = "out/clean.####.exr",
    space: str = "linear",
) -> list[str]:
    """A render's words, as quick as can be."""
    shot = ["--plate", plate, "--matte", matte, "--output", output, "--colorspace", space]
    return ["render", *shot, *options, *QUICK]


def png(*options: str, **more: str) -> list[str]:
    """A render of the 8-bit plate beside the other."""
    ours = {"plate": "png/plate.####.png", "output": "out/clean.####.png", "space": "display"}
    return render(*options, **{**ours, **more})


def made(path: str, content: bytes | str = "some text") -> Given:
    """A file."""

    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def gone(*paths: str) -> Given:
    """Files or folders that are not there."""

    def remove(folder: Path) -> None:
        for path in paths:
            shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()

    return remove


def mattes(draw: Callable[[int], Any], name: str = "matte/matte.{}.png") -> Given:
    """Other mattes: 8 bits of one channel, or floats (H, W) and (H, W, 4) in an EXR."""

    def write(folder: Path) -> None:
        for frame in FRAMES:
            values, path = draw(frame), folder / name.format(frame)
            if values.dtype == np.uint8 and values.ndim == 2:
                write_matte(path, values)
            else:
                pixels = values if values.ndim == 3 else values[:, :, None]
                names = "RGBA" if pixels.shape[2] == 4 else ["A"]
                save(path, (spec_of(pixels.shape[1], pixels.shape[0], names, str(values.dtype)), pixels))

    return write


def plates(draw: Callable[[int], Any]) -> Given:
    """Other plates."""

    def write(folder: Path) -> None:
        for frame in FRAMES:
            write_plate(folder / f"plate/plate.{frame}.exr", draw(frame))

    return write


def shifted(by: int) -> Given:
    """The shot with other frame numbers; below 0 as printf writes them."""

    def rename(folder: Path) -> None:
        for old in sorted(folder.glob("*/*.1*.*")):
            head, number, tail = old.name.split(".")
            old.rename(old.with_name(f"{head}.{int(number) + by:04d}.{tail}"))

    return rename


def sized(width: int, height: int) -> Given:
    """The shot in another size."""

    def write(folder: Path) -> None:
        for frame in FRAMES:
            write_plate(folder / f"plate/plate.{frame}.exr", picture(frame, (width, height)))
            matte = np.zeros((height, width), np.uint8)
            matte[height // 3 : height // 2 + 1, width // 3 : width // 2 + 1] = 255
            write_matte(folder / f"matte/matte.{frame}.png", matte)

    return write


def rendered(*options: str) -> Given:
    """The shot, rendered already."""
    return lambda folder: told(Case("", render(*options)))


def both(*steps: Given) -> Given:
    """One after the other."""
    return lambda folder: [step(folder) for step in steps]


def hdr_matte(frame: int) -> Any:
    """A soft matte (H, W) of floats."""
    return hole(frame, SIZE).astype(np.float32) / 255


def nan_matte(frame: int) -> Any:
    values = hdr_matte(frame)
    values[0, :2] = np.nan
    return values


def nan_plate(frame: int) -> Any:
    pixels = picture(frame, SIZE)
    pixels[12:14, 16:18] = np.nan
    return pixels


def rgba(frame: int) -> Any:
    """A picture with the matte in its alpha."""
    return np.dstack([picture(frame, SIZE)[..., :3], hdr_matte(frame)]).astype(np.float32)


def listed(folder: Path) -> None:
    """A list of two shots, one of which is not there."""
    shot = {"plate": "plate/plate.####.exr", "matte": "matte/matte.####.png", "output": "out/{name}.####.exr"}
    rows = [{"name": "sh010", **shot}, {"name": "sh020", **shot, "plate": "sh020/plate.####.exr"}]
    (folder / "shots.json").write_text(json.dumps({"shots": rows}, indent=1))


def jpeg_named_png(folder: Path) -> None:
    for frame in FRAMES:
        pixels = (np.clip(picture(frame, SIZE)[..., :3], 0, 1) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"png/plate.{frame}.png", "JPEG", quality=95)


def heic(folder: Path) -> None:
    (folder / "heic").mkdir()
    for frame in FRAMES:
        (folder / f"heic/plate.{frame}.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))


def renamed(old: str, new: str) -> Given:
    """A folder under another name, its plates too."""

    def rename(folder: Path) -> None:
        (folder / old).rename(folder / new)

    return rename


def painted(folder: Path) -> None:
    """Somebody paints over a frame of the output."""
    write_plate(folder / "out/clean.1002.exr", picture(50, SIZE))


def make_base(folder: Path) -> None:
    """The shot that every case starts from: half-float EXR and 8-bit PNG plates, mattes, a matte's still."""
    make_shot(folder, FRAMES[0], FRAMES[-1], size=SIZE)
    for frame in FRAMES:
        write_plate(folder / f"png/plate.{frame}.png", picture(frame, SIZE))
    write_matte(folder / "still.png", hole(1, SIZE))


CASES: tuple[Case | str, ...] = (
    "good",
    Case("a shot", render()),
    Case("a folder for each", render(plate="plate", matte="matte", output="out")),
    Case("one still matte for every frame", render(matte="still.png")),
    Case(
        "a matte in the alpha of a picture",
        render(matte="matte/matte.####.exr"),
        given=mattes(rgba, "matte/matte.{}.exr"),
    ),
    Case(
        "a matte of floats",
        render(matte="matte/matte.####.exr"),
        given=mattes(hdr_matte, "matte/matte.{}.exr"),
    ),
    Case(
        "letters of every alphabet",
        render(plate="Bühne 場面/plate.####.exr"),
        given=renamed("plate", "Bühne 場面"),
    ),
    Case("frame 0", render(), given=shifted(-1001)),
    Case("negative frames", render("--frames", "-3--2", plate="plate/plate.%04d.exr"), given=shifted(-1004)),
    Case("8x8 pixels", render(), given=sized(8, 8)),
    Case("1x1 pixels", render(), given=sized(1, 1)),
    Case("odd sizes", render(), given=sized(33, 17)),
    Case("a JPEG named .png", png(), given=jpeg_named_png),
    Case(
        "Thumbs.db, desktop.ini, .DS_Store and notes.txt beside the sequence",
        render(plate="plate"),
        given=both(
            made("plate/Thumbs.db"),
            made("plate/desktop.ini"),
            made("plate/.DS_Store"),
            made("plate/notes.txt"),
        ),
    ),
    Case(
        "a single picture with a still matte",
        render(plate="plate/photo.exr", matte="still.png", output="out/photo.exr"),
        given=lambda folder: (folder / "plate/plate.1002.exr").rename(folder / "plate/photo.exr"),
    ),
    Case(
        "a single picture into a folder",
        png(plate="photo.png", matte="still.png", output="out"),
        given=lambda folder: (folder / "png/plate.1002.png").rename(folder / "photo.png"),
    ),
    Case("one picture of a sequence, with the sequence of mattes", render(plate="plate/plate.1002.exr")),
    Case(
        "a matte that covers one frame",
        render(),
        given=mattes(lambda frame: hole(frame, SIZE) if frame != 1002 else np.full((32, 48), 255, np.uint8)),
    ),
    Case("8-bit plates to EXR", png("--bit-depth", "half", output="out/clean.####.exr")),
    Case(
        "a matte of another size, scaled",
        render("--matte-fit", "scale"),
        given=mattes(lambda frame: hole(frame, (96, 64))),
    ),
    Case(
        "a smaller matte, padded",
        render("--matte-fit", "pad"),
        given=mattes(lambda frame: hole(frame, SIZE)[2:-2, 2:-2]),
    ),
    Case(
        "a larger matte, cropped",
        render("--matte-fit", "crop"),
        given=mattes(lambda frame: np.pad(hole(frame, SIZE), 4)),
    ),
    Case(
        "plates that may only be read",
        render(),
        given=lambda folder: [path.chmod(0o444) for path in folder.glob("*/*")],
    ),
    "told, and rendered all the same",
    Case("one matte of a sequence", render(matte="matte/matte.1001.png")),
    Case(
        "NaN in mattes", render(matte="matte/matte.####.exr"), given=mattes(nan_matte, "matte/matte.{}.exr")
    ),
    Case("NaN in plates", render(), given=plates(nan_plate)),
    Case("an inverted matte", render(), given=mattes(lambda frame: 255 - hole(frame, SIZE))),
    Case("a matte that is always empty", render(), given=mattes(lambda frame: hole(frame, SIZE, empty=True))),
    Case("plate and matte swapped", png(plate="matte/matte.####.png", matte="png/plate.####.png")),
    Case("the plate itself as matte", png(matte="png/plate.####.png")),
    Case(
        "a copy of the plate as matte",
        png(matte="copy/matte.####.png"),
        given=lambda folder: [
            (folder / "copy").mkdir(),
            *(shutil.copy(folder / f"png/plate.{n}.png", folder / f"copy/matte.{n}.png") for n in FRAMES),
        ],
    ),
    Case(
        "another picture as matte",
        png(matte="matte/matte.####.png"),
        given=mattes(lambda frame: np.random.default_rng(frame).integers(20, 200, (32, 48), dtype=np.uint8)),
    ),
    Case(
        "a matte that is gone for a moment",
        render(),
        given=mattes(lambda frame: hole(frame, SIZE, empty=frame == 1002)),
    ),
    Case(
        "a matte whose size jumps",
        render(),
        given=mattes(
            lambda frame: (
                hole(frame, SIZE)
                if frame < 1003
                else np.pad(np.full((4, 4), 255, np.uint8), ((12, 16), (20, 24)))
            )
        ),
    ),
    "refused by --strict",
    Case(
        "strict: an inverted matte", render("--strict"), given=mattes(lambda frame: 255 - hole(frame, SIZE))
    ),
    Case(
        "strict: a matte that is always empty",
        render("--strict"),
        given=mattes(lambda frame: hole(frame, SIZE, empty=True)),
    ),
    Case(
        "strict: plate and matte swapped",
        png("--strict", plate="matte/matte.####.png", matte="png/plate.####.png"),
    ),
    Case("strict: the plate itself as matte", png("--strict", matte="png/plate.####.png")),
    Case(
        "strict: dry run of an inverted matte",
        render("--strict", "--dry-run"),
        given=mattes(lambda frame: 255 - hole(frame, SIZE)),
    ),
    Case("strict: a good shot", render("--strict")),
    "not found",
    Case("no folder", render(plate="plates")),
    Case("no such file", render(plate="plate/plat.1001.exr")),
    Case("a pattern of another padding and format", render(plate="plate/plate.#####.jpg")),
    Case("a pattern for the shell", render(plate="plate/plate.*.exr")),
    Case("a pattern in a folder that is not there", render(plate="plat/plate.####.exr")),
    Case("nothing like it in the folder", render(plate="plate/beauty_v002.%04d.exr")),
    Case(
        "a folder of folders",
        render(plate="show/plate.####.exr"),
        given=lambda folder: [(folder / "show" / name).mkdir(parents=True) for name in ("sh010", "sh020")],
    ),
    Case("a still matte that is not there", render(matte="stil.png")),
    Case("a movie that is not there", render(plate="plate.mov")),
    Case("a movie beside another", render(plate="plate.mov"), given=made("plates.mov", b"none")),
    Case("an empty folder", render(plate="empty"), given=lambda folder: (folder / "empty").mkdir()),
    Case(
        "a folder without pictures",
        render(plate="notes"),
        given=both(made("notes/notes.txt"), made("notes/Thumbs.db")),
    ),
    Case("a folder with two sequences", render(plate="plate"), given=made("plate/other.0001.exr")),
    Case(
        "a folder that mixes paddings",
        render(plate="plate"),
        given=both(made("plate/plate.4.exr"), made("plate/plate.0005.exr")),
    ),
    Case("gaps in plate and matte", render(), given=gone("plate/plate.1002.exr", "matte/matte.1003.png")),
    Case("a range beyond the files", render("--frames", "1001-1010")),
    "pictures that can't be used",
    Case("zero bytes", render(), given=made("plate/plate.1002.exr", b"")),
    Case("text named .exr", render(), given=made("plate/plate.1002.exr")),
    Case("text named .png as matte", render(), given=made("matte/matte.1002.png")),
    Case(
        "an EXR that breaks off",
        render(),
        given=lambda folder: made(
            "plate/plate.1003.exr", (folder / "plate/plate.1003.exr").read_bytes()[:600]
        )(folder),
    ),
    Case(
        "a folder named .exr",
        render(),
        given=both(gone("plate/plate.1002.exr"), lambda folder: (folder / "plate/plate.1002.exr").mkdir()),
    ),
    Case("HEIC plates", png(plate="heic/plate.####.heic", output="out"), given=heic),
    Case("HEIC as output", png(output="out/clean.####.heic")),
    Case("a movie that is none", png(plate="plate.mov"), given=made("plate.mov")),
    Case("mattes of another size", render(), given=mattes(lambda frame: hole(frame, (96, 64)))),
    Case(
        "a larger matte can't be padded",
        render("--matte-fit", "pad"),
        given=mattes(lambda frame: hole(frame, (96, 64))),
    ),
    Case(
        "a smaller matte can't be cropped",
        render("--matte-fit", "crop"),
        given=mattes(lambda frame: hole(frame, SIZE)[2:-2, 2:-2]),
    ),
    Case(
        "one plate of another size",
        render(),
        given=lambda folder: write_plate(folder / "plate/plate.1003.exr", picture(3, (50, 32))),
    ),
    Case(
        "one plate in another type",
        render(),
        given=lambda folder: save(
            folder / "plate/plate.1003.exr", (spec_of(*SIZE, "RGBZ", "float"), picture(3, SIZE))
        ),
    ),
    Case("a matte all white", render(), given=mattes(lambda frame: np.full((32, 48), 255, np.uint8))),
    Case("no such matte channel", render("--matte-channel", "holdout")),
    Case("8-bit plates to EXR without a depth", png(output="out/clean.####.exr")),
    Case("half-float plates to PNG", render(output="out/clean.####.png")),
    Case("half-float plates in 16-bit integers", render("--bit-depth", "16", output="out/clean.####.tif")),
    "where it goes",
    Case("an output without a frame number", render(output="out/clean.exr")),
    Case("an output of no known format", render(output="out/clean.####.xyz")),
    Case("the plate as output", render("--overwrite", output="plate/plate.####.exr")),
    Case("an output that is there", render(), given=made("out/clean.1002.exr")),
    Case("an output that is there, of a render of ours", render(), given=rendered()),
    Case("a file where the output's folder should be", render(), given=made("out")),
    Case("a finished shot, resumed", render("--resume"), given=rendered()),
    Case("a longer range, resumed", render("--resume"), given=rendered("--frames", "1001-1002")),
    Case("resumed with another setting", render("--resume", "--matte-invert"), given=rendered()),
    Case("resumed where nothing was rendered", render("--resume")),
    Case("resumed and overwritten at once", render("--resume", "--overwrite")),
    Case("an output that is there, resumed", render("--resume"), given=made("out/clean.1002.exr")),
    Case("an output that is there, kept", render("--keep-edited"), given=made("out/clean.1002.exr")),
    Case("an output that was painted over", render(), given=both(rendered(), painted)),
    Case("an output that was painted over, resumed", render("--resume"), given=both(rendered(), painted)),
    Case("an output that was painted over, kept", render("--keep-edited"), given=both(rendered(), painted)),
    Case("a file as output", render(output="notes"), given=made("notes")),
    Case(
        "a folder that holds another sequence of the same name",
        render(output="old"),
        given=made("old/plate.0101.exr"),
    ),
    Case("a disk that may only be read", render(), disk="read-only"),
    Case("a disk that is full", render(), disk="full"),
    "what is asked",
    Case("no options", ["render"]),
    Case("no matte", ["render", "--plate", "plate/plate.####.exr", "--output", "out"]),
    Case("a job.json without a shot", ["render", "--job", "job.json"], given=made("job.json", "{}")),
    Case("a range that is none", render("--frames", "1001..1003")),
    Case("a range backwards", render("--frames", "1003-1001")),
    Case("a range with a step", render("--frames", "1001-1003x2")),
    Case("frames that are not there, below zero", render("--frames", "-3-2")),
    Case("several frames of a single picture", render("--frames", "1-5", plate="plate/plate.1002.exr")),
    Case("a misspelt color space", render(space="ACESgc")),
    Case("a misspelt option", render("--fether", "3")),
    Case("a value out of range", render("--matte-threshold", "2")),
    Case("a host by another name", ["install", "resolve", "--dry-run", "--folder", "fusion"]),
    "lists of shots",
    Case("a list checked", ["batch", "shots.json", "--check"], given=listed),
    Case("a list checked, keep going", ["batch", "shots.json", "--check", "--keep-going"], given=listed),
    Case("a farm's job", ["farm", "slurm", "shots.json", "--output", "job"], given=listed),
    Case(
        "a farm's job, keep going",
        ["farm", "slurm", "shots.json", "--output", "job", "--keep-going"],
        given=listed,
    ),
)


def told(case: Case) -> str:
    """Run a case's command here; returns what is said of it, as it stands in the list."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code: Any = cli.main(case.words)
        except SystemExit as end:
            code = end.code
    lines = []
    for line in out.getvalue().splitlines():
        event = json.loads(line) if line.startswith('{"event"') else {"event": "line", "message": line}
        if event["event"] == "line" or (event["event"] == "note" and "sees a crop" not in event["message"]):
            kind = {"line": ""}.get(event["event"], "warning: " if "code" in event else "note: ")
            lines.append(f"{kind}{event['message']}")
    lines += err.getvalue().replace("/private/", "/").splitlines()
    head = [case.title, f"  $ cleanplate {shlex.join(differing(case.words))}", f"  exit {code}"]
    plain = [_VERSION.sub("studio-config", line.replace(f"{Path.cwd()}/", "")) for line in lines]
    return "\n".join([*head, *(f"  {line}" for line in plain)]) + "\n"


def differing(words: Sequence[str]) -> list[str]:
    """A command's words without those that every render has, and without usual values."""
    if words[0] != "render" or list(words[-len(QUICK) :]) != QUICK:
        return list(words)
    given, usual = words[1 : -len(QUICK)], render()
    pairs = [given[at : at + 2] for at in range(0, 8, 2)]
    return ["render", *(word for pair in pairs if pair[1] not in usual for word in pair), *given[8:]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shot that every case starts from."""
    folder = tmp_path_factory.mktemp("base")
    make_base(folder)
    return folder


def prepared(case: Case, base: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a case's folder, and go there."""
    shutil.copytree(base, folder, dirs_exist_ok=True)
    patch.chdir(folder)
    patch.setattr(api, "open_model", lambda *given: Model(ToyNetwork()))
    patch.setattr(os, "fsync", lambda handle: None)
    case.given(Path())
    if case.disk == "read-only":
        patch.setattr(sources.tempfile, "TemporaryFile", broken(errno.EROFS))
    if case.disk == "full":
        patch.setattr(write, "sync_to_disk", broken(errno.ENOSPC))
        patch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 100, 0))


def broken(reason: int) -> Callable[..., object]:
    """A call of the system that fails."""

    def fail(*given: object, **more: object) -> object:
        raise OSError(reason, os.strerror(reason))

    return fail


ALL = [case for case in CASES if isinstance(case, Case)]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.title)
def test_every_input_is_told_of_as_the_list_says(
    case: Case, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(case, base, tmp_path, monkeypatch)
    said = told(case).strip()
    assert said in LIST.read_text("utf-8").strip().split("\n\n"), said
    if "exit 0" not in said and not case.title.startswith(("an output ", "resumed with another")):
        assert not list(Path("out").glob("clean.*"))


def main() -> None:
    """Write the list anew."""
    blocks: list[str] = []
    with tempfile.TemporaryDirectory() as root:
        make_base(Path(root, "base"))
        for number, case in enumerate(CASES):
            if isinstance(case, str):
                blocks.append(f"== {case} ==\n")
                continue
            with pytest.MonkeyPatch.context() as patch:
                prepared(case, Path(root, "base"), Path(root, str(number)), patch)
                blocks.append(told(case))
    LIST.write_text(f"{ABOUT}\n" + "\n".join(blocks), "utf-8")


if __name__ == "__main__":
    main()

"""Bad input on the command line: one sentence, the documented exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from plugin_core import cli, errors
from plugin_core.cli.exit_codes import EXIT_CODES

from ..shots import (
    HEIGHT,
    WIDTH,
    ShotOnDisk,
    hole,
    leftovers,
    make_shot,
    picture,
    run_toy,
    same_files,
    write_matte,
    write_plate,
)

pytestmark = pytest.mark.slow

Refused = Callable[..., str]
SOME = {"plate": "p.####.exr", "matte": "m.####.png", "output": "o.####.exr"}


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 9)


@pytest.fixture
def refused(tmp_path, bundle_512, capfd) -> Refused:
    """Run the command, which must fail with `code`; returns its one sentence."""

    def run(code: int, arguments: list[str]) -> str:
        before = contents(tmp_path)
        if arguments[:1] == ["render"]:
            arguments = [*arguments, "--progress", "none"]
            if "--model" not in arguments:
                arguments += ["--model", str(bundle_512)]
        try:
            found = cli.main(arguments)
        except SystemExit as end:
            found = end.code
        out, err = capfd.readouterr()
        err = "".join(line for line in err.splitlines(True) if not line.startswith("libpng"))
        assert (found, out) == (code, ""), err
        assert err.startswith("cleanplate") and err.count("\n") == 1, err
        assert contents(tmp_path) == before, "nothing is lost and nothing is left"
        return err

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Every file outside the folders of saved states."""
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".cleanplate" not in path.parts and not path.is_relative_to(folder / "free")
    }


def test_every_error_has_a_documented_exit_code():
    def below(kind: type) -> list[type]:
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))]

    for kind in below(errors.CleanplateError):
        assert f"\n  {kind.exit_code} " in EXIT_CODES, kind


def test_missing_frames_are_all_listed(shot, refused):
    for frame in (3, 4, 7):
        shot.plate(frame).unlink()
    shot.matte(5).unlink()
    said = refused(3, shot.arguments())
    assert "lacks frames 3-4,7" in said and "lacks frames 5" in said
    assert "plate.####.exr" in said and "matte.####.png" in said


def test_a_range_beyond_the_files(shot, refused):
    said = refused(3, shot.arguments("out", "--frames", "5-12"))
    assert "lacks frames 10-12 (on disk are 1-9)" in said
    assert "lacks frames 100-200" in refused(3, shot.arguments("out", "--frames", "100-200"))


def test_a_range_of_a_trillion_frames_is_refused_at_once(shot, refused):
    assert "10-999999999999" in refused(3, shot.arguments("out", "--frames", "1-999999999999"))


def test_no_frames_at_all(shot, refused, tmp_path):
    shutil.rmtree(tmp_path / "plate")
    assert "No frame of" in refused(3, shot.arguments())
    (tmp_path / "plate").mkdir()
    assert "No frame of" in refused(3, shot.arguments())
    assert "no files" in refused(2, with_option(shot, "--plate", str(tmp_path / "plate")))


def test_a_still_matte_that_is_not_there(shot, refused, tmp_path):
    assert "is not there" in refused(3, with_option(shot, "--matte", str(tmp_path / "none.png")))


def test_plate_and_matte_of_different_sizes(shot, refused):
    for frame in range(1, 10):
        write_matte(shot.matte(frame), hole(frame, (WIDTH * 2, HEIGHT)))
    said = refused(2, shot.arguments())
    assert f"{WIDTH}x{HEIGHT}" in said and f"{WIDTH * 2}x{HEIGHT}" in said


def test_one_matte_of_another_size(shot, refused):
    write_matte(shot.matte(8), hole(8, (WIDTH, HEIGHT * 2)))
    assert "matte.0008.png" in refused(2, shot.arguments())


def test_one_plate_of_another_size(shot, refused):
    write_plate(shot.plate(6), picture(6, (WIDTH + 2, HEIGHT)))
    said = refused(2, shot.arguments())
    assert "plate.0006.exr" in said and f"{WIDTH + 2}x{HEIGHT}" in said


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x76\x2f\x31\x01 and then rubbish"])
def test_a_plate_that_is_no_picture(shot, refused, content):
    shot.plate(9).write_bytes(content)
    assert "plate.0009.exr" in refused(2, shot.arguments())


def test_a_matte_that_is_no_picture(shot, refused):
    shot.matte(9).write_bytes(shot.matte(9).read_bytes()[:60])
    assert "matte.0009.png" in refused(2, shot.arguments())


@pytest.mark.parametrize(
    "output",
    [
        "plate/plate.####.exr",
        "plate/plate.%04d.exr",
        "plate/plate.@@@@.exr",
        "plate/plate.%d.exr",
        "plate",
        "./out/../plate/plate.####.exr",
        "link/plate.####.exr",
        "link",
        "matte/matte.####.png",
    ],
)
@pytest.mark.parametrize("relative", [False, True])
def test_the_output_never_takes_the_place_of_an_input(shot, refused, tmp_path, monkeypatch, output, relative):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "plate")
    path = output if relative else str(tmp_path / output)
    assert "overwrite the" in refused(2, with_option(shot, "--output", path, "--overwrite"))


def test_side_files_never_take_the_place_of_an_input(shot, refused):
    for option in ("--state-out", "--progress-file"):
        for path in (shot.plate(3), shot.matte(4)):
            assert "plate or of a matte" in refused(2, shot.arguments("out", option, str(path)))


def test_an_output_folder_that_is_a_file(shot, refused, tmp_path):
    (tmp_path / "out").write_text("a file")
    assert "out is a file. Give a folder" in refused(2, shot.arguments())
    assert "out is a file. Give a folder" in refused(2, shot.arguments("out/deeper"))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for a folder that takes no files")
def test_an_output_folder_that_takes_no_files(shot, refused):
    assert "can't be written to" in refused(6, with_option(shot, "--output", "/proc/clean.####.exr"))


@pytest.mark.skipif(sys.platform != "linux", reason="paths of 4,096 bytes")
def test_paths_at_the_end_of_what_a_system_takes(shot, refused, tmp_path):
    for deep in ("/a" * 3000, "/" + "a" * 300):
        path = f"{tmp_path}{deep}"
        assert "too long" in refused(2, with_option(shot, "--output", f"{path}/clean.####.exr"))
        assert "too long" in refused(2, with_option(shot, "--plate", f"{path}/plate.####.exr"))
        assert "too long" in refused(6, shot.arguments("out", "--progress-file", path))
        assert "too long" in refused(4, shot.arguments("out", "--state-in", path))
        assert "too long" in refused(2, shot.arguments("out", "--cancel-file", path))


@pytest.mark.skipif(sys.platform != "linux", reason="paths of 4,096 bytes")
def test_an_output_under_1900_folders(shot, tmp_path, bundle_512):
    """Python's own way to make folders calls itself for each."""
    deep = tmp_path / "free" / "/".join("a" * (1900 - len(str(tmp_path)) // 2))
    given = [*with_option(shot, "--output", f"{deep}/c.####.exr"), "--frames", "1-2"]
    try:
        assert cli.main([*given, "--model", str(bundle_512)]) == 0
        assert (deep / "c.0002.exr").is_file()
    finally:  # pytest's own way to remove folders calls itself, too
        subprocess.run(["rm", "-rf", str(tmp_path / "free")], check=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_pipes_and_devices_in_place_of_files_are_refused_at_once(shot, refused, tmp_path, bundle_512):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero"):
        assert "not a file" in refused(2, ["render", "--job", path])
        assert "not a file" in refused(4, shot.arguments("out", "--state-in", path))
        assert "not a file" in refused(2, shot.arguments("out", "--path-map", path))
    assert "progress file" in refused(6, shot.arguments("out", "--progress-file", str(pipe)))
    assert "is not there" in refused(
        2, shot.arguments("out", "--ocio-config", str(pipe), "--colorspace", "ACEScg")
    )


def test_a_progress_file_that_cannot_be_written(shot, refused, tmp_path):
    (tmp_path / "file").write_text("a file")
    said = refused(6, shot.arguments("out", "--progress-file", str(tmp_path / "file" / "progress.jsonl")))
    assert "progress file" in said


def test_frames_that_are_there_already(shot, refused):
    run_toy(shot.shot(frames="2-4"))
    assert "has frames 2-4 already; use --resume" in refused(2, shot.arguments())


def test_devices(shot, refused):
    assert "Unknown device 'gpu'" in refused(5, with_option(shot, "--device", "gpu"))
    assert "Unknown device 'cpu:1'" in refused(5, with_option(shot, "--device", "cpu:1"))
    assert "cuda" in refused(5, with_option(shot, "--device", "cuda:77"))


def test_models(shot, refused, bundle_512, tmp_path):
    assert "Unknown model 'vinett'" in refused(4, shot.arguments("out", "--model", "vinett"))
    assert "no model bundle at" in refused(4, shot.arguments("out", "--model", str(tmp_path / "none")))
    assert "not a model bundle" in refused(4, shot.arguments("out", "--model", str(tmp_path / "plate")))
    damaged = tmp_path / "free" / "bundle"
    shutil.copytree(bundle_512, damaged)
    with (damaged / "step.onnx").open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"damage")
    assert "damaged" in refused(4, shot.arguments("out", "--model", str(damaged)))


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ("1-3,5-9", "has gaps"),
        ("1-9x2", "has a step"),
        ("9-1", "runs backwards"),
        ("", "can't be read"),
        ("first-last", "can't be read"),
        ("1.5", "can't be read"),
    ],
)
def test_frame_ranges(shot, refused, frames, said):
    assert said in refused(2, shot.arguments("out", "--frames", frames))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--grow", "many"], "--grow"),
        (["--grow", "1.5"], "--grow"),
        (["--grow", "9999"], "--grow should be less than or equal to 512, got 9999"),
        (["--feather", "-1"], "--feather should be greater than or equal to 0"),
        (["--matte-threshold", "0"], "--matte-threshold"),
        (["--matte-threshold", "nan"], "--matte-threshold"),
        (["--warmup", "-1"], "--warmup"),
        (["--threads", "0"], "--threads"),
        (["--checkpoint-every", "0"], "--checkpoint-every"),
        (["--working-size", "1"], "--working-size"),
        (["--context", "-5"], "--context"),
        (["--region", "10,20,300"], "--region should be auto, full or x,y,w,h in pixels, got '10,20,300'"),
        (["--region", "10,20,300,0"], "--region"),
        (["--colorspace", "ACESgc"], "did you mean one of: ACEScg"),
        (["--cuts", "four"], "--cuts"),
        (["--cuts", "50"], "Cut 50 is not inside the frames on disk, 1-9"),
        (["--cuts", "1"], "Cut 1 is not inside"),
        (["--progress", "loud"], "--progress"),
        (["--gorw", "3"], "--gorw"),
        (["--matte-channel", "holdout"], "has no channel 'holdout'; it has"),
    ],
)
def test_options(shot, refused, options, said):
    assert said in refused(2, shot.arguments("out", *options))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--output", "clean.exr", "has no frame number"),
        ("--output", "clean.####.xyz", "can't be written: .xyz is none of"),
        ("--output", "clean.####.png", "half pixels can't be written as .png"),
        ("--output", "clean.####.##.exr", "several frame tokens"),
        ("--output", "clean.####", "no file extension"),
        ("--plate", "x" * 5000 + ".####.exr", "too long"),
        ("--plate", "plate/plate.%4d.exr", "with spaces"),
        ("--plate", "", "at least 1 character"),
    ],
)
def test_names(shot, refused, tmp_path, monkeypatch, option, value, said):
    monkeypatch.chdir(tmp_path)
    code = 2
    assert said.lower() in refused(code, with_option(shot, option, value)).lower()


def test_a_movie_that_is_none(shot, refused, tmp_path):
    (tmp_path / "plate.mov").write_bytes(b"no movie")
    assert "plate.mov" in refused(2, with_option(shot, "--plate", str(tmp_path / "plate.mov")))
    assert "none.mov" in refused(3, with_option(shot, "--plate", str(tmp_path / "none.mov")))


def test_commands(refused):
    assert "COMMAND" in refused(2, [])
    assert "invalid choice" in refused(2, ["rendr"])
    assert "Give --plate, --matte and --output" in refused(2, ["render"])


def test_a_matte_that_covers_everything(shot, refused):
    for frame in range(1, 10):
        write_matte(shot.matte(frame), np.full((HEIGHT, WIDTH), 255, np.uint8))
    said = refused(2, shot.arguments())
    assert "covers the whole picture on every frame" in said and "inverted" in said


def test_a_matte_that_covers_everything_once_is_no_error(shot):
    write_matte(shot.matte(4), np.full((HEIGHT, WIDTH), 255, np.uint8))
    assert len(run_toy(shot.shot())) == 9


def job_file(tmp_path: Path, content: object) -> list[str]:
    path = tmp_path / "job.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return ["render", "--job", str(path)]


@pytest.mark.parametrize(
    ("part", "field", "said"),
    [
        (None, "setings", "'setings'; did you mean 'settings'?"),
        ("settings", "feathr", "'feathr'; did you mean 'feather'?"),
        ("shot", "colourspace", "'colourspace'; did you mean 'colorspace'?"),
        ("run", "zzz", "'zzz'; known are model, device"),
    ],
)
def test_a_misspelt_field_is_named_with_the_nearest(shot, refused, tmp_path, part, field, said):
    job = {"shot": shot.shot().model_dump(mode="json"), "settings": {}, "run": {}}
    (job if part is None else job[part])[field] = 3
    assert said in refused(2, job_file(tmp_path, job))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[" * 200_000, "nested more than 64 deep"),
        ('{"shot": {"plate": "a", "plate": "b"}}', "'plate' is given twice"),
        ('{"shot": {"self": 1}}', "has no field 'self'"),
        ({"shot": {"plate": "a\0b"}}, "text without NUL"),
        ({"shot": {"plate": "a" * 70_000}}, "at most 32767 letters"),
        ('{"settings": {"grow": ' + "9" * 5000 + "}}", "too many digits"),
        ({"shot": SOME, "settings": {"region": "1" * 5000 + ",1,1,1"}}, "x,y,w,h in pixels"),
        ({"shot": {**SOME, "cuts": list(range(20_000))}}, "at most 10000 frames"),
        ("[]", "must hold one JSON object"),
        ({"version": 99, "shot": {}}, "version 99"),
        ({"version": "1x", "shot": {}}, "version"),
        ({}, "its shot lacks plate, matte, output"),
        ({"shot": 3}, "must be an object, got 3"),
        ({"shot": {"plate": 1}}, "'plate' should be"),
    ],
)
def test_jobs(refused, tmp_path, content, said):
    assert said in refused(2, job_file(tmp_path, content))


def test_a_name_no_file_can_have(refused, tmp_path):
    job = {"shot": {"plate": "a\0.####.exr", "matte": "b.####.png", "output": "c"}}
    assert "without NUL" in refused(2, job_file(tmp_path, job))


def test_a_job_that_is_not_there(refused, tmp_path):
    assert "No such file" in refused(2, ["render", "--job", str(tmp_path / "none.json")])


def test_a_binary_job(refused, tmp_path):
    (tmp_path / "job.json").write_bytes(b"\xff\xfe\x80")
    assert "not UTF-8 text" in refused(2, ["render", "--job", str(tmp_path / "job.json")])


@pytest.mark.parametrize("damage", ["missing", "rubbish", "frame", "settings"])
def test_states(shot, refused, tmp_path, damage, bundle_512):
    state = tmp_path / "a.state"
    chunk = [*shot.arguments("first", "--frames", "1-2", "--state-out", str(state)), "--progress", "none"]
    if damage != "missing":
        assert cli.main([*chunk, "--model", str(bundle_512)]) == 0
    if damage == "rubbish":
        state.write_bytes(b"rubbish")
    more = {"frame": ["--frames", "5-9"], "settings": ["--frames", "3-9", "--grow", "1"]}
    options = more.get(damage, ["--frames", "3-9"])
    said = refused(4, shot.arguments("second", *options, "--state-in", str(state)))
    expected = {
        "missing": "is not there",
        "rubbish": "is damaged",
        "frame": "stands after frame 2, the range begins at 5",
        "settings": "grow is 0, this render has 1",
    }
    assert expected[damage] in said


@pytest.fixture
def ended(bundle_512, capfd) -> Callable[..., tuple[int, str]]:
    """Run the command; returns its exit code and what it said."""

    def run(arguments: list[str]) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.main([*arguments, "--model", str(bundle_512)])
        return code, capfd.readouterr().err

    return run


@pytest.mark.parametrize("how", ["truncated", "corrupt"])
def test_a_bad_plate_in_the_middle(tmp_path, ended, how):
    """The frames before it are written and the state is saved; once it is mended, the pixels are the same."""
    shot = make_shot(tmp_path, 1, 12)
    alone = ("--propagate", "off")
    assert ended(shot.arguments("whole", *alone))[0] == 0
    good = shot.plate(10).read_bytes()
    middle = len(good) // 2
    bad = good[:middle] if how == "truncated" else good[:middle] + bytes(400) + good[middle + 400 :]
    shot.plate(10).write_bytes(bad)
    code, err = ended(shot.arguments("out", "--checkpoint-every", "100", *alone))
    assert code == 2 and "Traceback" not in err
    assert "plate.0010.exr" in err.splitlines()[-1]
    same_files(shot, "out", "whole", range(1, 4))
    assert not shot.written(4).exists() and leftovers(tmp_path) == []
    shot.plate(10).write_bytes(good)
    code, err = ended(shot.arguments("out", "--resume", *alone))
    assert code == 0, err
    assert "3 of 12 are there" in err
    same_files(shot, "out", "whole")


def test_files_larger_than_the_limit(tmp_path, bundle_512):
    shot = make_shot(tmp_path, 1, 4)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    for real_pixels in ("on", "off"):
        arguments = shot.arguments("out", "--propagate", real_pixels, "--model", str(bundle_512))
        given = [sys.executable, "-m", "plugin_core.cli", *arguments]
        ended = subprocess.run(given, capture_output=True, text=True, preexec_fn=limit)
        assert ended.returncode == 6 and "Traceback" not in ended.stderr, ended.stderr
        assert "clean.0001.exr" in ended.stderr.splitlines()[-1]
    assert leftovers(tmp_path) == [] and not list((tmp_path / "out").glob("*.exr"))


@pytest.fixture
def small_disk(tmp_path) -> object:
    """A folder with room for a few frames; its size can be set."""
    folder = tmp_path / "out"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.name != "posix" or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(tmp_path, small_disk, ended):
    shot = make_shot(tmp_path, 1, 12)
    assert ended(shot.arguments("whole"))[0] == 0
    small_disk("120k")
    code, err = ended(shot.arguments())
    assert code == 6 and "Traceback" not in err, err
    assert "full" in err.splitlines()[-1] or "No space" in err.splitlines()[-1]
    written = [frame for frame in range(1, 13) if shot.written(frame).exists()]
    assert len(written) < 12 and leftovers(tmp_path) == []
    same_files(shot, "out", "whole", range(1, len(written) + 1))
    small_disk("20m")
    code, err = ended(shot.arguments("out", "--resume"))
    assert code == 0, err
    same_files(shot, "out", "whole")


def test_a_read_only_disk(tmp_path, small_disk, refused):
    shot = make_shot(tmp_path, 1, 2)
    subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "out")], check=True)
    assert "Read-only file system" in refused(6, shot.arguments())


def with_option(shot: ShotOnDisk, option: str, value: str, *more: str) -> list[str]:
    """The command line of a small render with one option set otherwise."""
    arguments = shot.arguments("out", *more)
    at = arguments.index(option)
    return [*arguments[: at + 1], value, *arguments[at + 2 :]]

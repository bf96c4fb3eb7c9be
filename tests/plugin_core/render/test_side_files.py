"""States handed on and progress files: never under the name of anything else of the job."""

from __future__ import annotations

import shutil

import pytest

from plugin_core.errors import InputError
from plugin_core.job.settings import Run
from plugin_core.render.side_files import check_side_files

from ..shots import ShotOnDisk, make_shot, run_toy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    return make_shot(tmp_path_factory.mktemp("shot"), 1, 3)


@pytest.mark.parametrize("field", ["state_out", "progress_file"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("plate/plate.0002.exr", "a file of the plate or of a matte"),
        ("matte/matte.0003.png", "a file of the plate or of a matte"),
        ("out/clean.0002.exr", "a frame of the output"),
        ("out/../out/clean.0099.exr", "a frame of the output"),
        ("link/clean.0001.exr", "a frame of the output"),
        ("debug/debug.0001.exr", "a frame of the debug layers"),
        ("out/.cleanplate/clean.#.exr/journal.jsonl", "keeps its journal and states"),
        ("out/.cleanplate/clean.#.exr/chunk.1_2/state.2.safetensors", "keeps its journal and states"),
        ("before.state", "the state handed in, too"),
        ("cancel", "the cancel file, too"),
        ("config.ocio", "the OpenColorIO configuration, too"),
        ("model/weights.bin", "in the model's folder"),
    ],
)
def test_the_name_of_anything_else_is_refused(shot, field, name, said):
    folder = shot.folder
    for made in ("debug", "model", "out"):
        (folder / made).mkdir(exist_ok=True)
    if not (folder / "link").exists():
        (folder / "link").symlink_to(folder / "out")
    run = Run(
        **{field: str(folder / name)},
        state_in=str(folder / "before.state"),
        cancel_file=str(folder / "cancel"),
        model=str(folder / "model"),
        debug=str(folder / "debug"),
    )
    with pytest.raises(InputError, match=said):
        check_side_files(shot.shot(ocio_config=str(folder / "config.ocio")), run)


def test_a_state_and_progress_in_one_file_are_refused(shot):
    one = str(shot.folder / "one")
    with pytest.raises(InputError, match="the state handed on, too"):
        check_side_files(shot.shot(), Run(state_out=one, progress_file=one))


@pytest.mark.parametrize(
    "name", ["a.state", "out/a.state", "out/.cleanplate/states/a.state", "out/clean.exr"]
)
def test_any_other_name_is_taken(shot, name):
    check_side_files(
        shot.shot(), Run(state_out=str(shot.folder / name), progress_file=str(shot.folder / "p"))
    )


def test_an_output_folder_has_the_plates_names(shot):
    given = shot.shot().model_copy(update={"output": str(shot.folder / "folder")})
    with pytest.raises(InputError, match="a frame of the output"):
        check_side_files(given, Run(state_out=str(shot.folder / "folder" / "plate.0001.exr")))
    movie = shot.shot().model_copy(update={"output": str(shot.folder / "clean.mov")})
    for name in ("clean.mov", ".cleanplate/clean.mov/movie.json"):
        with pytest.raises(InputError, match=r"is the output|keeps its journal"):
            check_side_files(movie, Run(progress_file=str(shot.folder / name)))


def test_a_finished_frame_is_not_replaced_by_a_state(shot):
    run_toy(shot.shot("kept"))
    before = shot.written(3, "kept").read_bytes()
    with pytest.raises(InputError, match="a frame of the output"):
        run_toy(shot.shot("kept"), resume=True, state_out=str(shot.written(3, "kept")))
    assert shot.written(3, "kept").read_bytes() == before
    shutil.rmtree(shot.folder / "kept")

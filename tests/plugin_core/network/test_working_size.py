"""How large the network works where nobody says."""

from __future__ import annotations

import pytest

from plugin_core import memory
from plugin_core.errors import StateError
from plugin_core.job.settings import Settings
from plugin_core.memory import installed_memory
from plugin_core.network.working_size import chosen_size, working_size_for
from plugin_core.state.saved_state import read_state

from ..shots import make_shot, run_toy, same_files
from ..toy_network import ToyNetwork

pytestmark = pytest.mark.slow

GB = 1 << 30


@pytest.mark.parametrize(
    ("kind", "gigabytes", "size"),
    [
        ("cpu", 64, 512),
        ("cpu", 8, 512),
        ("cpu", 2, 320),
        ("cpu", 0.01, 128),
        ("cuda", 24, 1024),
        ("cuda", 4, 896),
    ],
)
def test_a_small_memory_makes_it_smaller_and_a_large_one_not_larger_than_liked(kind, gigabytes, size):
    assert working_size_for(kind, int(gigabytes * GB)) == size


def test_what_was_asked_for_comes_first_then_what_is_gone_on_from():
    assert chosen_size(256, {"working size": "384"}, 512) == 256
    assert chosen_size(None, {"working size": "384"}, 512) == 384
    assert chosen_size(None, {}, 512) == chosen_size(None, None, 512) == 512
    for forged in ("1000000", "9" * 5000, "32", "-64", "6e2", "\u0665\u0661\u0662"):
        assert chosen_size(None, {"working size": forged}, 512) == 512


def test_a_container_has_the_memory_it_is_limited_to(tmp_path, monkeypatch):
    whole = installed_memory()
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_LIMITS", (str(limit), str(tmp_path / "none")))
    limit.write_text("max\n")
    assert installed_memory() >= whole
    limit.write_text(f"{whole // 2}\n")
    assert installed_memory() == whole // 2


class Smaller(ToyNetwork):
    """As on a machine with less memory."""

    working_size = 40


@pytest.mark.usefixtures("no_sync")
def test_another_machine_goes_on_at_the_size_that_was_begun_with(tmp_path):
    settings = Settings(context=16, grow=0, feather=0)
    shot = make_shot(tmp_path, 1, 12)
    run_toy(shot.shot("whole"), settings)
    run_toy(shot.shot(), settings)
    for frame in (11, 12):
        shot.written(frame).unlink()
    run_toy(shot.shot(), settings, network=Smaller(), resume=True)
    same_files(shot, "out", "whole")

    state = str(tmp_path / "a.state")
    run_toy(shot.shot("a", "1-6"), settings, state_out=state)
    assert read_state(tmp_path / "a.state").key["working size"] == "64"
    run_toy(shot.shot("a", "7-12"), settings, network=Smaller(), state_in=state)
    same_files(shot, "a", "whole", range(7, 13))
    with pytest.raises(StateError, match="working size is 64, this render has 72"):
        run_toy(
            shot.shot("b", "7-12"), Settings(context=16, working_size=72, grow=0, feather=0), state_in=state
        )

"""Checkpoints: small files, replaced whole, read back to the bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.network import tensor_folder as train_checkpoint
from models.network.generated import generated_network
from models.network.tensor_folder import (
    optimizer_tensors,
    read_folder,
    read_tensors,
    restore_optimizer,
    write_folder,
)
from models.network.weights import load_weights, stored_details


def test_no_file_is_larger_than_it_may_be(tmp_path: Path) -> None:
    state = generated_network(512).state_dict()
    write_folder(tmp_path / "weights", state, {"step": 7})
    sizes = [file.stat().st_size for file in (tmp_path / "weights").iterdir()]
    assert max(sizes) <= train_checkpoint.LARGEST and sum(sizes) > 56e6 and len(sizes) <= 6
    tensors, told = read_folder(tmp_path / "weights")
    assert told == {"step": 7} and list(tensors) != []
    assert all(torch.equal(state[key], tensors[key]) for key in state)
    loaded = load_weights(tmp_path / "weights", 512).state_dict()
    assert all(torch.equal(state[key], loaded[key]) for key in state)
    assert stored_details(tmp_path / "weights") == {"step": "7"}


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        write_folder(tmp_path / "c", {"a": torch.full((3,), value)})
    assert torch.equal(read_tensors(tmp_path / "c")["a"], torch.full((3,), 2.0))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_swap_that_was_cut_off_leaves_the_old_one_readable(tmp_path: Path) -> None:
    write_folder(tmp_path / "c", {"a": torch.ones(2)}, {"step": 1})
    (tmp_path / "c").rename(tmp_path / "c.old")
    (tmp_path / "c.part").mkdir()
    tensors, told = read_folder(tmp_path / "c")
    assert told == {"step": 1} and torch.equal(tensors["a"], torch.ones(2))
    write_folder(tmp_path / "c", {"a": torch.zeros(2)}, {"step": 2})
    assert read_folder(tmp_path / "c")[1] == {"step": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_what_cannot_be_split_or_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_checkpoint, "LARGEST", 200_000)
    with pytest.raises(ValueError, match="large has 400000 bytes"):
        write_folder(tmp_path / "c", {"large": torch.zeros(100_000)})
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_folder(tmp_path / "nowhere")


def test_adam_goes_on_where_it_was() -> None:
    def stepped(count: int, kept: dict[str, torch.Tensor] | None, begin: torch.Tensor) -> tuple:
        weight = torch.nn.Parameter(begin.clone())
        optimizer = torch.optim.Adam([weight], lr=0.1)
        if kept is not None:
            restore_optimizer(optimizer, kept)
        for _ in range(count):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
        return weight.detach(), optimizer_tensors(optimizer)

    start = torch.tensor([1.0, -2.0])
    whole, _ = stepped(4, None, start)
    half, kept = stepped(2, None, start)
    rest, _ = stepped(2, kept, half)
    assert torch.equal(whole, rest)

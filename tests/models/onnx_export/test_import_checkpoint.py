from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.network.generated import generated_network
from models.network.weights import load_weights, read_checkpoint, require_training_extra, stored_details
from models.onnx_export.import_checkpoint import import_checkpoint
from plugin_core.errors import InputError, ModelError
from plugin_core.network.bundle import Bundle

pytestmark = pytest.mark.slow

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    return generated_network(512).state_dict()


def saved(path: Path, state: object, prefix: str = "module.") -> Path:
    named = {f"{prefix}{key}": value for key, value in state.items()} if isinstance(state, dict) else state
    torch.save({"state_dict": named, "epoch": 3}, path)
    return path


@pytest.mark.parametrize("prefix", ["module.", ""])
def test_a_published_checkpoint_becomes_a_bundle(tmp_path: Path, state: State, prefix: str) -> None:
    path = saved(tmp_path / "vinet.pth", state, prefix)
    out = import_checkpoint(path, 512, tmp_path / "mine", licence="CC-BY-NC-4.0", weights="float32")
    manifest = Bundle.open(out).manifest
    assert (manifest.name, manifest.variant, manifest.channel_order) == ("mine", 512, "BGR")
    assert manifest.licence == "CC-BY-NC-4.0"
    assert manifest.provenance.kind == "imported"
    assert manifest.provenance.details["file"] == "vinet.pth"


def test_tensors_survive_the_reading(tmp_path: Path, state: State) -> None:
    found = read_checkpoint(saved(tmp_path / "vinet.pth", state))
    assert set(found) == set(state)
    assert all(torch.equal(found[key], state[key]) for key in state)


def test_missing_surplus_and_misshapen_tensors_are_all_named(tmp_path: Path, state: State) -> None:
    broken = dict(state)
    del broken["decoder.dc6.weight"]
    broken["extra.weight"] = torch.zeros(1)
    broken["convlstm.Gates.bias"] = torch.zeros(4)
    path = saved(tmp_path / "vinet.pth", broken)
    with pytest.raises(ModelError) as caught:
        import_checkpoint(path, 512, tmp_path / "out")
    text = str(caught.value)
    assert "1 missing: decoder.dc6.weight" in text
    assert "1 surplus: extra.weight" in text
    assert "convlstm.Gates.bias (4,) instead of (512,)" in text
    assert not (tmp_path / "out").exists()


def test_a_long_list_of_faults_is_shortened(tmp_path: Path, state: State) -> None:
    few = dict(list(state.items())[:100])
    with pytest.raises(ModelError, match=r"66 missing: .* and 58 more\.$"):
        import_checkpoint(saved(tmp_path / "vinet.pth", few), 512, tmp_path / "out")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, state: State) -> None:
    bad = dict(state) | {"decoder.dc6.weight": torch.full_like(state["decoder.dc6.weight"], torch.nan)}
    with pytest.raises(ModelError, match=r"not finite in decoder\.dc6\.weight"):
        import_checkpoint(saved(tmp_path / "vinet.pth", bad), 512, tmp_path / "out")


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code ran",))


def test_code_in_a_checkpoint_never_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": _Code()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="can't be read as weights alone"):
        read_checkpoint(tmp_path / "evil.pth")
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged\.pth"):
        read_checkpoint(path)


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no checkpoint"):
        read_checkpoint(tmp_path / "none.pth")


def test_a_file_of_other_things_holds_no_state(tmp_path: Path) -> None:
    torch.save({"state_dict": [1, 2]}, tmp_path / "list.pth")
    with pytest.raises(ModelError, match="no `state_dict` of tensors"):
        read_checkpoint(tmp_path / "list.pth")


def test_weights_of_our_own_training(tmp_path: Path, state: State) -> None:
    path = tmp_path / "weights.safetensors"
    contiguous = {key: value.contiguous() for key, value in state.items()}
    save_file(contiguous, path, metadata={"steps": "1200"})
    network = load_weights(path, 256)
    assert network.variant == 256
    assert not network.training
    assert torch.equal(network.state_dict()["decoder.dc6.weight"], state["decoder.dc6.weight"])
    assert stored_details(path) == {"steps": "1200"}


def test_damaged_weights_of_our_own_training(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"cut")
    with pytest.raises(ModelError, match="can't be read"):
        load_weights(path, 512)
    with pytest.raises(ModelError, match="no weights"):
        load_weights(tmp_path / "none.safetensors", 512)


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest)
    )
    with pytest.raises(InputError, match=r'needs torch: run pip install "cleanplate\[train\]"'):
        require_training_extra()
    with pytest.raises(InputError):
        import_checkpoint(tmp_path / "any.pth", 512, tmp_path / "out")

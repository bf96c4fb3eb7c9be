"""Read VINet's weights: checkpoints in the published format, and those of our own training.

Importable without torch, so that asking for it where torch is missing gives one clear sentence.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin_core.errors import InputError, ModelError

if TYPE_CHECKING:
    from .vinet import Variant, VINet

_PREFIX = "module."
_LISTED = 8


def require_training_extra() -> None:
    """Raise InputError when what only the `[train]` extra installs is missing."""
    missing = [name for name in ("torch", "onnx") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"Importing or exporting a model needs {' and '.join(missing)}: "
            'run pip install "cleanplate[train]" first.'
        )


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tensors of a published checkpoint by their names without ``module.``.

    Only tensors are unpickled (`weights_only`), never code. Raises ModelError.
    """
    import torch

    try:
        # Every way in which a damaged or hostile file fails ends in the same sentence.
        loaded = torch.load(Path(path), map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"There is no checkpoint {path}.") from None
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(f"The checkpoint {path} can't be read as weights alone: {reason}.") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(f"The checkpoint {path} holds no `state_dict` of tensors.")
    return {str(key).removeprefix(_PREFIX): value for key, value in state.items()}


def load_weights(path: str | os.PathLike[str], variant: Variant) -> VINet:
    """A network with weights of our own training: a file, or a run's folder of them. Raises ModelError."""
    require_training_extra()
    from .tensor_folder import read_tensors

    try:
        state = read_tensors(Path(path))
    except FileNotFoundError:
        raise ModelError(f"There are no weights {path}.") from None
    except Exception as error:
        raise ModelError(f"The weights {path} can't be read: {error}.") from error
    return network_from_state(state, variant, where=str(path))


def stored_details(path: str | os.PathLike[str]) -> dict[str, str]:
    """What our own training wrote beside the weights: its settings and progress, as text."""
    from safetensors import safe_open

    if Path(path).is_dir():
        state = json.loads((Path(path) / "state.json").read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in state.items()}
    with safe_open(path, framework="numpy") as file:
        return dict(file.metadata() or {})


def network_from_state(state: Mapping[str, Any], variant: Variant, *, where: str) -> VINet:
    """A network holding exactly these tensors, in evaluation mode.

    Raises:
        ModelError: a tensor is missing, surplus, misshapen or not finite; the message names them.
    """
    import torch

    from .vinet import VINet

    network = VINet(variant)
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    _insist(expected, {key: tuple(value.shape) for key, value in state.items()}, where)
    bad = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if bad:
        raise ModelError(f"{where} holds values that are not finite in {_listed(bad)}.")
    network.load_state_dict({key: value.float() for key, value in state.items()})
    return network.eval()


def _insist(
    expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], where: str
) -> None:
    """Raise unless names and shapes are the network's."""
    missing = [key for key in expected if key not in found]
    surplus = [key for key in found if key not in expected]
    misshapen = [
        f"{key} {found[key]} instead of {expected[key]}"
        for key in expected
        if key in found and found[key] != expected[key]
    ]
    faults = [
        f"{len(keys)} {what}: {_listed(keys)}"
        for what, keys in (("missing", missing), ("surplus", surplus), ("misshapen", misshapen))
        if keys
    ]
    if faults:
        raise ModelError(f"{where} is no VINet of {len(expected)} tensors: {'; '.join(faults)}.")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    rest = len(names) - _LISTED
    return f"{shown} and {rest} more" if rest > 0 else shown

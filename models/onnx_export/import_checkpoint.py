"""Turn a checkpoint in the published VINet format into a bundle.

Importable without torch, so that asking for it where torch is missing gives one clear sentence.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..network.weights import network_from_state, read_checkpoint, require_training_extra

if TYPE_CHECKING:
    from ..network.vinet import Variant


def import_checkpoint(
    path: str | os.PathLike[str],
    variant: Variant,
    out_dir: str | os.PathLike[str],
    *,
    licence: str | None = None,
    name: str | None = None,
    weights: str = "float16",
    eight_bits: bool = False,
) -> Path:
    """Turn a checkpoint in the published format into a bundle; returns the bundle's folder.

    Args:
        path: the file; a `state_dict` of 166 tensors, keys with or without ``module.``.
        variant: 512 or 256; the same tensors serve both, so the file does not say.
        out_dir: the bundle's folder.
        licence: licence of the weights, as the user knows it; None says that it was not stated.
        name: the model's name; None takes the folder's.
        weights: "float16" or "float32", how the bundle stores them.
        eight_bits: whether x86 CPUs convolve in 8 bits: quicker, and a little off.

    Raises:
        InputError: torch is not installed.
        ModelError: the file can't be read, or tensors are missing, surplus or misshapen (they are named).
        WriteError: the bundle can't be written.
    """
    require_training_extra()
    from plugin_core.network.bundle import Provenance

    from .bundle import export_bundle

    network = network_from_state(read_checkpoint(path), variant, where=str(path))
    return export_bundle(
        network,
        out_dir,
        name=name or Path(out_dir).name,
        provenance=Provenance(
            kind="imported",
            summary=f"Imported from a checkpoint in the published VINet format, {Path(path).name}.",
            details={"file": Path(path).name, "sha256": _sha256(Path(path))},
        ),
        licence=licence or "Not stated when the checkpoint was imported; ask whoever published it.",
        weights="float32" if weights == "float32" else "float16",
        channel_order="BGR",
        eight_bits=eight_bits,
    )


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

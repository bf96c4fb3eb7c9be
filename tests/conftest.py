"""Bundles with generated weights, exported once for all tests."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.network.generated import generated_network
from models.onnx_export.bundle import export_bundle
from plugin_core.network.bundle import Provenance

# The pictures here are small: threads that wait for one another cost more than they bring, most of all where
# other work runs beside the tests.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Path]:
    """A function (variant, weight type) -> bundle with generated weights; each is exported once."""
    root = tmp_path_factory.mktemp("bundles")

    @functools.cache
    def make(variant: int, weights: str) -> Path:
        return export_bundle(
            generated_network(variant),
            root / f"generated{variant}_{weights}",
            name=f"generated{variant}",
            provenance=Provenance(kind="generated", summary="Weights generated from seed 1, for tests."),
            licence="Apache-2.0",
            weights=weights,
        )

    return make


@pytest.fixture(scope="session")
def bundle_512(make_bundle: Callable[[int, str], Path]) -> Path:
    """Variant 512, float16 weights, as shipped."""
    return make_bundle(512, "float16")


@pytest.fixture(scope="session")
def bundle_256(make_bundle: Callable[[int, str], Path]) -> Path:
    """Variant 256, float16 weights."""
    return make_bundle(256, "float16")


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """The published network's golden vectors, where they are at hand."""
    root = os.environ.get("CLEANPLATE_SHARED")
    if not root:
        pytest.skip("CLEANPLATE_SHARED is not set: no golden vectors of the published network")
    return Path(root) / "vinet" / "golden"

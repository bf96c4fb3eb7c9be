"""Bundles with generated weights, exported once for all tests and all processes; and the tests' order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

os.environ["CLEANPLATE_CONFIG"] = "off"  # whoever runs the tests may have settings of their own

# The same examples on every machine, however slow: `--hypothesis-profile=default` looks for others.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("same")

INSTALLING_SECONDS = 600


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of slow tests first, then those that wait for programs, then the quick ones: to end together."""
    rank: dict[str, int] = {}
    for item in items:
        own = 0 if item.get_closest_marker("installed") else 1 if item.get_closest_marker("slow") else 2
        rank[item.location[0]] = min(own, rank.get(item.location[0], own))
    order = {0: 1, 1: 0, 2: 2}
    items.sort(key=lambda item: order[rank[item.location[0]]])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Wait for what is being installed beside the tests: CLEANPLATE_TEST_INSTALLED names a file to come."""
    told = os.environ.get("CLEANPLATE_TEST_INSTALLED")
    if told and item.get_closest_marker("installed"):
        end = time.monotonic() + INSTALLING_SECONDS
        while not Path(told).exists() and time.monotonic() < end:
            time.sleep(0.5)


@pytest.fixture(scope="session")
def make_bundle(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[..., Path]:
    """A function (variant, weight type, quick=whether thinned and still) -> bundle with generated weights."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "bundles"
    root.mkdir(exist_ok=True)

    def make(variant: int, weights: str, quick: bool = False) -> Path:
        bundle = root / f"generated{variant}_{weights}{'_quick' * quick}"
        with FileLock(f"{bundle}.lock"):
            if not bundle.exists():
                _export(variant, weights, quick, root / f"{bundle.name}.part").rename(bundle)
        return bundle

    return make


def _export(variant: int, weights: str, quick: bool, folder: Path) -> Path:
    # Here, so that tests which need no network don't wait for torch.
    from models.network.generated import generated_network
    from models.onnx_export.bundle import export_bundle
    from plugin_core.network.bundle import Provenance
    from tests.models.network.thin import still, thinned

    return export_bundle(
        still(thinned(variant, 0.5)) if quick else generated_network(variant),
        folder,
        name=f"generated{variant}",
        provenance=Provenance(kind="generated", summary="Weights generated from seed 1, for tests."),
        licence="Apache-2.0",
        weights=weights,
    )


@pytest.fixture(scope="session")
def published_512(make_bundle: Callable[..., Path]) -> Path:
    """Variant 512, float16 weights, of the published size."""
    return make_bundle(512, "float16")


@pytest.fixture(scope="session")
def published_256(make_bundle: Callable[..., Path]) -> Path:
    """Variant 256, float16 weights, of the published size."""
    return make_bundle(256, "float16")


@pytest.fixture(scope="session")
def bundle_512(make_bundle: Callable[..., Path]) -> Path:
    """Variant 512 at a part of its cost, where its numbers do not matter: half the channels, and no flows.

    ONNX Runtime opens it in a fraction of the time, in every process that a test starts. Thinned further,
    what it remembers would change no pixel any more.
    """
    return make_bundle(512, "float16", quick=True)


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """The published network's golden vectors, where they are at hand."""
    root = os.environ.get("CLEANPLATE_SHARED")
    if not root:
        pytest.skip("CLEANPLATE_SHARED is not set: no golden vectors of the published network")
    return Path(root) / "vinet" / "golden"

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest

from plugin_core.errors import DeviceError, InputError, ModelError, StateError
from plugin_core.network import device as device_module
from plugin_core.network import graphs as graphs_module
from plugin_core.network.bundle import Bundle
from plugin_core.network.contract import Carry, Features, Network
from plugin_core.network.device import Device, available_devices, cuda_cards
from plugin_core.network.session import Session

pytestmark = pytest.mark.slow

HEIGHT, WIDTH = 48, 64
Picture = np.ndarray


@pytest.fixture(scope="module")
def session(published_512: Path) -> Iterator[Session]:
    with Session.open(published_512, device="cpu", threads=1) as opened:
        yield opened


def frame(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> tuple[Picture, Picture]:
    values = np.random.default_rng(seed).random((3, height // 8, width // 8), dtype=np.float32)
    mask = np.zeros((1, height, width), np.float32)
    mask[:, height // 4 : height // 2, width // 4 : width // 2] = 1
    return np.kron(2 * values - 1, np.ones((1, 8, 8), np.float32)), mask


def sources(session: Session, height: int = HEIGHT, width: int = WIDTH) -> list[Features]:
    return [session.encode(*frame(seed, height, width)) for seed in range(1, 5)]


def test_is_a_network(session: Session, published_512: Path) -> None:
    network: Network = session
    assert network.model_id == Bundle.open(published_512).model_id
    assert network.source_offsets == (-6, -3, 3, 6)
    assert network.size_multiple == 16


def test_a_step_is_a_pure_function(session: Session) -> None:
    picture, mask = frame()
    inputs = sources(session)
    carry = session.start(picture, mask)
    before = session.fetch(carry)
    first = session.step(picture, mask, inputs, carry)
    session.step(*frame(9), inputs, first.carry)
    again = session.step(picture, mask, inputs, carry)
    assert np.array_equal(first.fill, again.fill)
    for name, value in session.fetch(carry).items():
        assert np.array_equal(value, before[name]), name
    assert first.fill.shape == (3, HEIGHT, WIDTH)
    assert first.fill.dtype == np.float32
    assert first.debug == {}


def test_the_inputs_may_be_overwritten_afterwards(session: Session) -> None:
    """A reader reuses its buffers: nothing handed out may share them."""
    picture, mask = frame()
    inputs, carry = sources(session), session.start(picture, mask)
    expected = session.step(picture, mask, inputs, carry)
    used, hole = picture.copy(), mask.copy()
    inputs = [session.encode(*frame(seed)) for seed in range(1, 5)]
    other = session.start(used, hole)
    arrays = session.fetch(other)
    restored = session.put(arrays)
    used[:], hole[:] = 7, 1
    for value in arrays.values():
        value[...] = 5
    assert np.array_equal(session.step(picture, mask, inputs, other).fill, expected.fill)
    assert np.array_equal(session.step(picture, mask, inputs, restored).fill, expected.fill)


def test_the_start_carry_is_the_masked_frame_and_an_empty_memory(session: Session) -> None:
    picture, mask = frame()
    carry = session.fetch(session.start(picture, mask))
    assert np.array_equal(carry["output"][0], picture * (1 - mask))
    assert np.array_equal(carry["mask"][0], mask)
    assert carry["hidden"].shape == carry["cell"].shape == (1, 128, HEIGHT // 16, WIDTH // 16)
    assert not carry["hidden"].any()
    assert not carry["cell"].any()
    assert carry["feedback"].shape == ()
    assert carry["feedback"] == 0


def test_the_carry_of_a_step_holds_its_fill(session: Session) -> None:
    picture, mask = frame()
    result = session.step(picture, mask, sources(session), session.start(picture, mask))
    carry = session.fetch(result.carry)
    assert np.array_equal(carry["output"][0], result.fill)
    assert np.array_equal(carry["mask"][0], 0.5 * mask)
    assert carry["feedback"] == 1
    assert carry["hidden"].any()


def test_a_fetched_carry_can_be_put_back(session: Session) -> None:
    picture, mask = frame()
    inputs = sources(session)
    middle = session.step(picture, mask, inputs, session.start(picture, mask)).carry
    straight = session.step(*frame(5), inputs, middle)
    resumed = session.step(*frame(5), inputs, session.put(session.fetch(middle)))
    assert np.array_equal(straight.fill, resumed.fill)


def test_what_lies_in_the_hole_is_ignored(session: Session) -> None:
    picture, mask = frame()
    inputs = sources(session)
    other = picture + 1000 * mask
    plain = session.step(picture, mask, inputs, session.start(picture, mask))
    changed = session.step(other, mask, inputs, session.start(other, mask))
    assert np.array_equal(plain.fill, changed.fill)


def test_a_frame_of_another_size_is_opened_for_it_and_old_sizes_are_let_go(bundle_512: Path) -> None:
    with Session.open(bundle_512, device="cpu", threads=1) as session:
        for size in ((16, 16), (32, 48), (48, 32), (16, 32), (32, 16)):
            picture, mask = frame(0, *size)
            result = session.step(picture, mask, sources(session, *size), session.start(picture, mask))
            assert result.fill.shape == (3, *size)
            assert np.isfinite(result.fill).all()
        assert list(session._sizes) == [(32, 48), (48, 32), (16, 32), (32, 16)]


def test_debug_outputs_are_given_when_asked_for(session: Session) -> None:
    picture, mask = frame()
    result = session.step(picture, mask, sources(session), session.start(picture, mask), debug=True)
    assert set(result.debug) == set(session.bundle.manifest.debug)
    assert result.debug["flow_s2"].shape == (5, 2, HEIGHT // 4, WIDTH // 4)


def test_a_model_of_bgr_pictures_gets_them_and_gives_rgb(tmp_path: Path, bundle_512: Path) -> None:
    copy = Path(shutil.copytree(bundle_512, tmp_path / "bgr"))
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"RGB"', '"BGR"'))

    def fill(bundle: Path, flip: int) -> Picture:
        def turned(seed: int) -> tuple[Picture, Picture]:
            picture, mask = frame(seed)
            return picture[::flip], mask

        with Session.open(bundle, device="cpu", threads=1) as session:
            inputs = [session.encode(*turned(seed)) for seed in range(1, 5)]
            return session.step(*turned(0), inputs, session.start(*turned(0))).fill[::flip]

    assert np.array_equal(fill(copy, 1), fill(bundle_512, -1))


@pytest.mark.parametrize(
    ("picture", "mask", "message"),
    [
        ((3, 48, 60), (1, 48, 60), "multiples of 16, got 60x48"),
        ((3, 0, 64), (1, 0, 64), "multiples of 16, got 64x0"),
        ((3, 48, 64), (1, 48, 32), "got .3, 48, 64. and .1, 48, 32."),
        ((4, 48, 64), (1, 48, 64), "got .4, 48, 64."),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    session: Session, picture: tuple[int, ...], mask: tuple[int, ...], message: str
) -> None:
    arrays = np.zeros(picture, np.float32), np.zeros(mask, np.float32)
    for call in (session.encode, session.start):
        with pytest.raises(InputError, match=message):
            call(*arrays)


def test_too_few_sources_are_refused(session: Session) -> None:
    picture, mask = frame()
    with pytest.raises(InputError, match="takes 4 sources, got 3"):
        session.step(picture, mask, sources(session)[:3], session.start(picture, mask))


def test_sources_of_another_size_are_refused(session: Session) -> None:
    picture, mask = frame()
    with pytest.raises(InputError, match=r"source_0_s2 is \(8, 8, 64\), expected \(12, 16, 64\)"):
        session.step(picture, mask, sources(session, 32, 32), session.start(picture, mask))


def test_flows_are_refused_by_a_network_that_finds_its_own(session: Session) -> None:
    assert session.guide_scales == ()
    given = np.zeros((4, 3, HEIGHT // 4, WIDTH // 4), np.float32)
    with pytest.raises(InputError, match=r"the guide is \[\(4, 3, 12, 16\)\], expected \[\]"):
        session.step(*frame(), sources(session), session.start(*frame()), guide=(given,))


def test_a_carry_of_another_size_is_refused(session: Session) -> None:
    carry = session.start(*frame(0, 32, 32))
    with pytest.raises(InputError, match=r"hidden_in is .*, expected"):
        session.step(*frame(), sources(session), carry)


def test_a_frame_that_is_not_finite_is_an_error_not_a_picture(session: Session) -> None:
    picture, mask = frame()
    inputs = sources(session)
    picture[0, 3, 3] = np.nan
    with pytest.raises(ModelError):
        session.step(picture, mask, inputs, session.start(picture, mask))


Edit = Callable[[dict[str, np.ndarray]], object]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda a: a.pop("cell"), "holds feedback, hidden, mask, output"),
        (lambda a: a.update(extra=a["cell"]), "holds cell, extra"),
        (lambda a: a.update(cell=a["cell"][:, :64]), r"cell is float32 \(1, 64, 3, 4\)"),
        (lambda a: a.update(hidden=a["hidden"][..., :2]), "hidden is float32"),
        (lambda a: a.update(output=a["output"][0]), "output has shape"),
        (lambda a: a.update(mask=a["mask"].astype(np.float64)), "mask is float64"),
        (lambda a: a.update(feedback=np.ones(1, np.float32)), r"feedback is float32 \(1,\)"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(session: Session, edit: Edit, message: str) -> None:
    arrays = session.fetch(session.start(*frame()))
    edit(arrays)
    with pytest.raises(StateError, match=message):
        session.put(arrays)


@pytest.mark.parametrize("device", ["gpu", "cpu:0", "cuda:x", "", "CUDA", "auto:1"])
def test_an_unknown_device_lists_those_available(bundle_512: Path, device: str) -> None:
    with pytest.raises(DeviceError, match=r"Unknown device .*: available are auto, cpu"):
        Session.open(bundle_512, device=device)


def test_cuda_without_a_card_is_an_error(bundle_512: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "cuda_cards", lambda: 0)
    assert available_devices() == ["auto", "cpu"]
    with pytest.raises(DeviceError, match="cuda"):
        Session.open(bundle_512, device="cuda")
    with Session.open(bundle_512, device="auto") as session:
        assert str(session.device) == "cpu"


@pytest.mark.skipif(bool(cuda_cards()), reason="there is a CUDA card")
def test_cuda_that_can_not_be_used_is_an_error_or_for_auto_the_cpu(
    bundle_512: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A card that the driver reports and ONNX Runtime can't use must not become the CPU silently."""
    monkeypatch.setattr(device_module, "cuda_cards", lambda: 1)
    monkeypatch.setattr(graphs_module.ort, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(graphs_module.ort, "preload_dlls", lambda: None, raising=False)
    with pytest.raises(DeviceError):
        Session.open(bundle_512, device="cuda:0")
    with Session.open(bundle_512, device="auto") as session:
        assert str(session.device) == "cpu"
    assert "using the CPU" in caplog.text


def test_a_graph_that_onnx_runtime_refuses_is_a_model_error(bundle_512: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle_512, tmp_path / "copy"))
    bundle = Bundle.open(copy)
    model = onnx.load(bundle.encode_path, load_external_data=False)
    model.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(model, bundle.encode_path)
    with Session(bundle, Device("cpu"), 1) as session, pytest.raises(ModelError) as caught:
        session.encode(*frame())
    assert "encode.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_out_of_memory_is_a_device_error() -> None:
    error = graphs_module.translated(RuntimeError("Failed to allocate memory for requested buffer"), "run")
    assert isinstance(error, DeviceError)
    assert "smaller working size" in str(error)


def test_nothing_is_written_to_the_terminal(bundle_512: Path) -> None:
    code = (
        "import numpy as np; from plugin_core.network.session import Session\n"
        f"with Session.open({str(bundle_512)!r}, device='auto') as s:\n"
        "    f, m = np.zeros((3, 16, 16), 'f'), np.zeros((1, 16, 16), 'f')\n"
        "    s.step(f, m, [s.encode(f, m)] * 4, s.start(f, m))\n"
        "import sys; assert 'torch' not in sys.modules and 'onnx' not in sys.modules"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


def test_a_closed_session_opens_its_graphs_anew(bundle_512: Path) -> None:
    session = Session.open(bundle_512, device="cpu", threads=1)
    first: Carry = session.start(*frame())
    fill = session.step(*frame(), sources(session), first).fill
    session.close()
    assert np.array_equal(session.step(*frame(), sources(session), first).fill, fill)


def test_more_threads_than_cores_are_not_started(bundle_512: Path) -> None:
    process = psutil.Process()
    before = process.num_threads()
    with Session.open(bundle_512, device="cpu", threads=1024) as session:
        session.encode(*frame())
        assert process.num_threads() - before < 4 * (os.cpu_count() or 1) + 8

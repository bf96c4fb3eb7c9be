from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugin_core.errors import ModelError
from plugin_core.network import bundle as model
from plugin_core.network.bundle import Bundle, Manifest, find_bundle


@pytest.fixture
def bundle(tmp_path: Path, published_512: Path) -> Path:
    return Path(shutil.copytree(published_512, tmp_path / "copy"))


def edit(bundle: Path, **changes: Any) -> None:
    path = bundle / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_opens_and_describes_itself(published_512: Path) -> None:
    bundle = Bundle.open(published_512)
    manifest = bundle.manifest
    assert manifest.variant == 512
    assert manifest.source_offsets == (-6, -3, 3, 6)
    assert manifest.scales == (1, 2, 4, 8, 16)
    assert [tensor.name for tensor in manifest.carry] == ["hidden", "cell", "output", "mask", "feedback"]
    assert bundle.encode_path.is_file()
    assert bundle.step_path(x86=True).is_file()
    assert bundle.step_path(x86=False).is_file()
    assert bundle.step_path(x86=True) != bundle.step_path(x86=False)
    assert len(bundle.model_id) == 16


def test_model_id_tells_models_apart(published_512: Path, published_256: Path) -> None:
    assert Bundle.open(published_512).model_id != Bundle.open(published_256).model_id


def test_the_manifest_survives_writing_and_reading(published_512: Path) -> None:
    manifest = Bundle.open(published_512).manifest
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


@pytest.mark.parametrize("entry", [{}, {"step_x86": None}])
def test_a_bundle_may_have_one_step_for_every_processor(bundle: Path, entry: dict[str, Any]) -> None:
    both = Bundle.open(bundle).model_id
    path = bundle / "manifest.json"
    fields = json.loads(path.read_text())
    del fields["step_x86"]
    path.write_text(json.dumps(fields | entry))
    (bundle / "step_x86.onnx").unlink()
    opened = Bundle.open(bundle)
    assert opened.step_path(x86=True) == opened.step_path(x86=False) == bundle / "step.onnx"
    assert opened.model_id != both, "its numbers on an x86 differ in rounding"


@pytest.mark.parametrize("name", ["encode.onnx", "step.onnx", "step_x86.onnx", "weights.bin"])
def test_a_missing_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(ModelError, match=f"incomplete: {name} is missing"):
        Bundle.open(bundle)


@pytest.mark.parametrize("name", ["encode.onnx", "step.onnx", "step_x86.onnx", "weights.bin"])
def test_a_changed_file_is_refused(bundle: Path, name: str) -> None:
    with (bundle / name).open("r+b") as stream:
        stream.seek(1000)
        byte = stream.read(1)
        stream.seek(1000)
        stream.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ModelError, match=rf"{name} is damaged or was changed: its sha256 is \w{{12}}"):
        Bundle.open(bundle)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not a model bundle: it has no manifest\.json"):
        Bundle.open(tmp_path)


def test_a_newer_format_is_refused_whatever_else_it_says(bundle: Path) -> None:
    (bundle / "manifest.json").write_text('{"format_version": 3, "graphs": []}')
    with pytest.raises(ModelError, match="has format 3, this Cleanplate reads up to 2: update Cleanplate"):
        Bundle.open(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "{}", '{"format_version": "new"}', "\x00"])
def test_a_damaged_manifest_is_refused(bundle: Path, text: str) -> None:
    (bundle / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match=r"manifest\.json is damaged"):
        Bundle.open(bundle)


def test_a_manifest_that_is_not_text_is_refused(bundle: Path) -> None:
    (bundle / "manifest.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="can't be read"):
        Bundle.open(bundle)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"surprise": 1}, "surprise"),
        ({"variant": 300}, "variant"),
        ({"channel_order": "GRB"}, "channel_order"),
        ({"step": {"file": "../../step.onnx", "sha256": "0" * 64}}, "step.file"),
        ({"encode": {"file": "encode.onnx", "sha256": "short"}}, "encode.sha256"),
        ({"temporal_radius": 10**9}, "temporal_radius"),
        ({"temporal_radius": -5}, "temporal_radius"),
        ({"temporal_stride": 0}, "temporal_stride"),
        ({"size_multiple": 0}, "size_multiple"),
        ({"hole_reach": 0}, "hole_reach"),
        ({"value_range": [-1, float("inf")]}, "value_range"),
        ({"format_version": 0}, "format_version"),
    ],
)
def test_a_field_that_makes_no_sense_is_named(bundle: Path, change: dict[str, Any], where: str) -> None:
    edit(bundle, **change)
    with pytest.raises(ModelError, match=f"damaged at {where}"):
        Bundle.open(bundle)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size_multiple": 24}, "a power of two, got 24"),
        ({"size_multiple": 8}, "scale 16 does not divide the size multiple 8"),
        ({"temporal_radius": 3}, "has 4 inputs for 6 sources"),
        ({"flows": "given"}, "flows are given, with 0 inputs"),
        ({"guide": [{"input": "guide_s2", "scale": 4}]}, "flows are learned, with 1 inputs"),
        ({"carry": []}, "no tensor of the carry has the picture's size"),
    ],
)
def test_tensors_that_no_graph_has_are_refused(bundle: Path, change: dict[str, Any], said: str) -> None:
    edit(bundle, **change)
    with pytest.raises(ModelError, match=f"is damaged: .*{said}"):
        Bundle.open(bundle)


def test_a_manifest_nested_beyond_reason_or_far_too_large(bundle: Path) -> None:
    for text in ('{"format_version": ' + "[" * 200_000, " " * (1 << 21)):
        (bundle / "manifest.json").write_text(text)
        with pytest.raises(ModelError, match=r"recursion limit exceeded|more than 1 MB"):
            Bundle.open(bundle)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
@pytest.mark.parametrize("name", ["manifest.json", "weights.bin", "step_x86.onnx"])
def test_nobody_waits_for_a_pipe_or_reads_a_device(bundle: Path, name: str) -> None:
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (bundle / name).unlink()
        make(bundle / name)
        with pytest.raises(ModelError, match=r"can't be read: it is a folder, a pipe or a device"):
            Bundle.open(bundle)


def test_messages_are_single_lines(bundle: Path) -> None:
    edit(bundle, carry="none")
    with pytest.raises(ModelError) as caught:
        Bundle.open(bundle)
    assert "\n" not in str(caught.value)


def test_a_bundle_is_found_by_path(published_512: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_bundle(published_512) == published_512
    monkeypatch.chdir(published_512.parent)
    assert find_bundle(published_512.name).resolve() == published_512
    with pytest.raises(ModelError, match="no model bundle at"):
        find_bundle(published_512 / "nothing")


def test_a_bundle_is_found_by_name(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("CLEANPLATE_MODELS", os.pathsep.join((str(tmp_path / "empty"), str(tmp_path))))
    assert find_bundle("copy") == bundle


def test_the_search_path_comes_before_what_is_shipped(
    tmp_path: Path, published_512: Path, published_256: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root, source in (("mine", published_512), ("shipped/bundles", published_256)):
        shutil.copytree(source, tmp_path / root / "vinet")
    shutil.copytree(published_256, tmp_path / "shipped" / "bundles" / "other")
    (tmp_path / "shipped" / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(model, "SHIPPED_PACKAGE", "shipped")
    assert find_bundle("vinet") == tmp_path / "shipped" / "bundles" / "vinet"
    monkeypatch.setenv("CLEANPLATE_MODELS", str(tmp_path / "mine"))
    assert find_bundle("vinet") == tmp_path / "mine" / "vinet"
    with pytest.raises(ModelError, match=r"Unknown model 'vnet': known models are other, vinet \("):
        find_bundle("vnet")


def test_opening_a_bundle_needs_neither_torch_nor_onnx_runtime(published_512: Path) -> None:
    code = (
        "import sys; from plugin_core.network.bundle import Bundle, find_bundle\n"
        f"Bundle.open(find_bundle({str(published_512)!r}))\n"
        "assert not {'torch', 'onnx', 'onnxruntime', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])

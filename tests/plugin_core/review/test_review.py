"""`cleanplate review`: what is written, how large it is, and that nothing foreign becomes markup."""

from __future__ import annotations

import html
import json
import webbrowser
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.box import Box
from plugin_core.cli import main
from plugin_core.color.color_map import ColorMap
from plugin_core.color.display import Display
from plugin_core.errors import InputError
from plugin_core.images import Plate
from plugin_core.images.plate import Group, Part
from plugin_core.images.read import header_of
from plugin_core.qc.pictures import Looked
from plugin_core.regions.hole import Hole
from plugin_core.review.decisions import Decision
from plugin_core.review.outline import MOST_POINTS, outline
from plugin_core.review.pictures import BYTES_A_SECOND, Encoder
from plugin_core.review.place import place_of

from ..shots import ShotOnDisk
from .reviewed import HOSTILE, data_of, rendered_shot

pytestmark = pytest.mark.usefixtures("no_sync")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> ShotOnDisk:
    return rendered_shot(tmp_path_factory.mktemp("shot"))


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def in_memory(pixels: np.ndarray) -> Plate:
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, "float")
    return Plate(header_of(Path("p.exr"), "openexr", [spec]), (Part(spec, (Group(0, pixels),)),))


def test_a_page_with_its_pictures_lies_beside_the_result(shot, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert main(["review", "--result", shot.output(), "--json", "--open"]) == 0
    folder = shot.folder / "out" / "clean.review"
    assert json.loads(capsys.readouterr().out)["page"] == str(folder / "review.html")
    data = data_of(folder / "review.html")
    assert opened == [(folder / "review.html").as_uri()]
    assert data["frames"] == list(range(1001, 1007)) and data["rate"] == 24 and not data["inside"]
    assert [sorted(one) for one in data["pictures"]][:2] == [
        ["difference", "matte", "plate", "result", "sources"],
        ["plate"],
    ]
    assert sum(origin["values"][0] for origin in data["origins"]) == pytest.approx(1)
    assert all(seconds > 0 for seconds in data["seconds"])
    told = {name: value for _, rows in data["about"] for name, value in rows}
    assert told["model id"] == "toy" and told["grow"] == "0 (default 2)" and "sRGB" in told["shown"]
    assert "--grow 0" in data["command"] and "cleanplate render" in data["command"]
    x0, y0, x1, y1 = data["pictures"][0]["result"]
    sources = decoded((folder / "frames" / "1001.sources.webp").read_bytes())
    assert data["origins"][0]["color"] == "#b9685f" and np.abs(sources[5, 5, :3] - [95.0, 104, 185]).max() < 8
    assert decoded((folder / "frames" / "1001.result.webp").read_bytes()).shape[:2] == (y1 - y0, x1 - x0)
    assert data["outlines"][1] == [] and len(data["outlines"][0]) == 1

    # Made again from fewer frames, nothing of the first is left; a page of someone else's stays.
    assert main(["review", "--result", shot.output(), "--frames", "1001-1002", "--quiet"]) == 0
    names = {path.name for path in (folder / "frames").iterdir()}
    assert {name.partition(".")[0] for name in names} == {"1001", "1002"}
    (folder / "review.html").write_text("mine")
    assert (
        main(["review", "--result", shot.output()]) == 2 and "no page of a review" in capsys.readouterr().err
    )


def test_names_are_data_in_one_file(shot, tmp_path, capsys):
    page = tmp_path / "one.html"
    given = ["--result", shot.output(), "--single-file", "--page", str(page), "--name", HOSTILE]
    assert main(["review", *given]) == 0
    text = page.read_text("utf-8")
    assert data_of(page)["shot"] == HOSTILE
    assert "<img" not in text and text.count('type="text/plain"') == 26
    head = html.unescape(text.partition("<style>")[0])
    assert "default-src 'none'; script-src 'sha256-" in head and "unsafe" not in head
    assert list(tmp_path.iterdir()) == [page]


def test_what_was_decided_is_printed(tmp_path, capsys):
    made = Decision(
        version=1, shot="sh010", result="r", decision="rejected", reviewer="Kim", date="2026-01-02"
    )
    fields = made.model_dump() | {"notes": [{"frame": 1004, "text": "edge"}, {"frame": 1002, "text": "soft"}]}
    (tmp_path / "sh010").mkdir()
    (tmp_path / "sh010" / "sh010.decision.json").write_text(json.dumps(fields))
    assert main(["review", "--decisions", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "rejected   sh010 by Kim on 2026-01-02",
        "  1002: soft",
        "  1004: edge",
    ]
    assert main(["review", "--decisions", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["decision"] == "rejected"
    (tmp_path / "other.decision.json").write_text('{"version": 1, "shot": 5}')
    assert main(["review", "--decisions", str(tmp_path)]) == 2
    assert "other.decision.json: shot" in capsys.readouterr().err


def test_a_second_of_noise_in_hd_takes_no_more_than_it_may():
    noise = np.random.default_rng(1).random((1080, 1920, 3), np.float32)
    hole = Hole(Box(600, 300, 1300, 900), np.ones((600, 700), np.float32))
    hole.alpha[:200] = 0
    result = noise.copy()
    result[500:900, 600:1300] *= 0.5
    result[350, 650] = 1.5 - result[350, 650]  # outside the hole: it must show all the same
    encoder = Encoder(Display(ColorMap("display")), 24)
    for _ in range(2):
        layers = encoder.frame(Looked(1, in_memory(noise), hole, in_memory(result)))
        assert sum(len(layer.data) for layer in layers) <= BYTES_A_SECOND / 24
    named = {layer.name: layer for layer in layers}
    assert list(named) == ["plate", "detail", "matte", "result", "difference"]
    assert named["result"].box == Box(600, 350, 1300, 900)
    alpha = decoded(named["result"].data)[..., 3]
    scale = alpha.shape[0] / 550
    assert alpha[int(100 * scale), 300] == 0 and alpha[int(300 * scale), 300] == 255


def test_an_outline_runs_along_pixels_edges_and_keeps_few_points():
    mask = np.zeros((20, 30), np.bool_)
    mask[4:9, 10:16] = True
    assert sorted(outline(mask, Box(10, 4, 16, 9))[0][:2]) == pytest.approx([16, 40], abs=1)
    rough = np.random.default_rng(2).random((200, 200)) > 0.6
    blob = cv2.morphologyEx(rough.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5))) > 0
    lines = outline(blob, Box(0, 0, 200, 200))
    assert sum(map(len, lines)) / 2 <= max(MOST_POINTS, 3 * len(lines))


def test_where_a_page_goes(tmp_path):
    assert place_of(str(tmp_path / "a_v1.####.exr")).page == tmp_path / "a_v1.review" / "review.html"
    assert place_of(str(tmp_path / "a.mov"), single_file=True).page == tmp_path / "a.review.html"
    with pytest.raises(InputError, match=r"writes an \.html"):
        place_of("a.mov", str(tmp_path / "b"), single_file=True)


def test_views_to_lay_over_a_plate(shot, tmp_path, capsys):
    folder = tmp_path / "look"
    asked = ["review", "--result", shot.output(), "--views", str(folder)]
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "folder": str(folder),
        "views": ["matte", "difference", "source", "confidence"],
    }
    seen = {path.name: decoded(path.read_bytes()) for path in folder.glob("*.png")}
    assert len(seen) == 24 and {picture.shape for picture in seen.values()} == {(64, 96, 4)}
    hole = seen["matte.1001.png"][..., 3] > 0
    assert hole.any() and not hole[0].any() and not (seen["matte.1002.png"][..., 3] > 0).any()
    # The toy network's pixels are a guess, all of them; nothing beside the hole differs.
    assert (seen["source.1001.png"][hole] == (95, 104, 185, 255)).all()
    assert (seen["confidence.1001.png"][hole] == (0, 0, 0, 255)).all()
    changed = seen["difference.1001.png"][..., :3].any(axis=-1)
    assert changed.any() and not changed[~hole].any() and (seen["difference.1001.png"][..., 3] == 255).all()

    # Made again, only what is newer than its views is looked at; a folder of somebody else's stays.
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    Path(shot.output().replace("####", "1003")).touch()
    assert main([*asked, "--quiet"]) == 0
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert {name for name in before if before[name] != after[name]} == {n for n in before if ".1003." in n}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    assert main([*asked[:-1], str(tmp_path / "mine")]) == 2
    assert "other files than views" in capsys.readouterr().err

"""The list of further pictures, and getting them out of packages."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from models.training.fetch_pictures import fetch_pictures, main, packages_listed
from plugin_core.errors import InputError


def test_every_picture_is_listed_with_who_made_it_and_a_licence_without_share_alike() -> None:
    pictures = [picture for package in packages_listed() for picture in package["pictures"]]
    assert len({Path(picture["file"]).name for picture in pictures}) == len(pictures) >= 20
    for picture in pictures:
        assert picture["author"] and picture["licence"] in ("CC0-1.0", "CC-BY-4.0", "BSD-3-Clause")
        assert len(picture["sha256"]) == 64


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_pictures_come_out_of_a_package_and_another_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made"
    (made / "DEBIAN").mkdir(parents=True)
    (made / "DEBIAN" / "control").write_text(
        "Package: hills\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: d\n"
    )
    (made / "hill.png").write_bytes(b"a hill")
    package = tmp_path / "hills_1_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", made, package], check=True, capture_output=True)
    picture = {"file": "hill.png", "author": "A", "licence": "CC0-1.0"}
    entry = {"package": "hills", "version": "1", "sha256": hashlib.sha256(package.read_bytes()).hexdigest()}
    entry["pictures"] = [picture | {"sha256": hashlib.sha256(b"a hill").hexdigest()}]  # type: ignore[assignment]
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps({"packages": [entry]}))
    out = tmp_path / "out"
    assert fetch_pictures(out, tmp_path, listed) == [out / "hill.png"]
    assert (out / "hill.png").read_bytes() == b"a hill"
    package.unlink()
    assert fetch_pictures(out, tmp_path, listed) == [out / "hill.png"]  # nothing has to be got
    (out / "hill.png").write_bytes(b"another")
    package.write_bytes(b"another")
    with pytest.raises(InputError, match="is not what was trained on"):
        fetch_pictures(out, tmp_path, listed)
    assert main(["--out", str(out), "--packages", str(tmp_path / "none")]) == 2
    assert "has no lomiri-wallpapers-16.04" in capsys.readouterr().err

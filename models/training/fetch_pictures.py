"""Get the further pictures that are trained on: `python -m models.training.fetch_pictures --out FOLDER`.

`pictures.json` lists them: Debian packages with their versions, in each the files, authors and licences
(CC0, CC BY, BSD; none that asks for share-alike) and SHA-256. Nothing is installed and no picture is kept in
the repository. Where apt has another version by now, get the listed one from Debian's snapshot archive and
name its folder with --packages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from plugin_core.disk.atomic import replacing
from plugin_core.errors import CleanplateError, InputError

LISTED = Path(__file__).with_name("pictures.json")


def packages_listed(listed: Path = LISTED) -> list[dict[str, Any]]:
    """The packages: name, version, sha256, and `pictures`, each with file, author, licence and sha256."""
    packages: list[dict[str, Any]] = json.loads(listed.read_text("utf-8"))["packages"]
    return packages


def fetch_pictures(out: Path, packages: Path | None = None, listed: Path = LISTED) -> list[Path]:
    """Write the listed pictures into a folder; those that lie there already, unchanged, stay.

    Args:
        out: is made if it is not there.
        packages: a folder with the .deb files; None asks apt for them.

    Raises:
        InputError: a package or a picture is not what the list says, or can't be had.
        WriteError: the folder does not take them.
    """
    written = []
    for package in packages_listed(listed):
        wanted = [(picture, out / Path(picture["file"]).name) for picture in package["pictures"]]
        if not all(path.is_file() and _hash(path) == picture["sha256"] for picture, path in wanted):
            for (picture, path), content in zip(wanted, _contents(package, packages), strict=True):
                _same(content, picture["sha256"], f"{picture['file']} of {package['package']}")
                path.parent.mkdir(parents=True, exist_ok=True)
                with replacing(path) as temporary:
                    Path(temporary).write_bytes(content)
        written += [path for _, path in wanted]
    return written


def _contents(package: dict[str, Any], folder: Path | None) -> Iterator[bytes]:
    """What is in a package's pictures, in their order."""
    with tempfile.TemporaryDirectory() as scratch:
        downloaded = folder or Path(scratch)
        name, version = package["package"], package["version"]
        if folder is None:
            _done(["apt-get", "download", "-q", f"{name}={version}"], downloaded, f"{name} {version}")
        found = sorted(downloaded.glob(f"{name}_*.deb"))
        if not found:
            raise InputError(f"{downloaded} has no {name}_*.deb: put version {version} of {name} there.")
        _same(found[-1].read_bytes(), package["sha256"], found[-1].name)
        _done(["dpkg-deb", "-x", str(found[-1].resolve()), f"{scratch}/x"], Path(scratch), found[-1].name)
        for picture in package["pictures"]:
            yield (Path(scratch) / "x" / picture["file"]).read_bytes()


def _done(command: list[str], where: Path, what: str) -> None:
    try:
        subprocess.run(command, cwd=where, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise InputError(f"{command[0]} is not on this machine: run this on Debian or Ubuntu.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no reason given"]
        raise InputError(
            f"{command[0]} can't get {what}: {said[-1]} Get that version elsewhere and give --packages."
        ) from error


def _same(content: bytes, wanted: str, what: str) -> None:
    got = hashlib.sha256(content).hexdigest()
    if got != wanted:
        raise InputError(f"{what} is not what was trained on: expected SHA-256 {wanted}, got {got}.")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.fetch_pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder to write pictures to")
    parser.add_argument("--packages", type=Path, help="a folder with the .deb files; not asked for with apt")
    options = parser.parse_args(arguments)
    try:
        written = fetch_pictures(options.out, options.packages)
    except CleanplateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{len(written)} pictures in {options.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

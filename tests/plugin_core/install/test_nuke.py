"""Installing into a host: added once, undone byte for byte, and never at the cost of the user's own lines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from plugin_core.cli import main
from plugin_core.install.change import adapter_folder, own_command

OWN = [
    b"",
    b"import nuke\n",
    b"import nuke",
    b"# -*- coding: latin-1 -*-\r\nname = 'B\xfchler'\r\n",
    b"\xef\xbb\xbfimport nuke\n\n\n",
    b"import nuke\r\nnuke.pluginAddPath('x')",
]


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "Zoë's home" / ".nuke"


def install(folder: Path, *options: str) -> int:
    return main(["install", "nuke", "--folder", str(folder), *options])


@pytest.mark.parametrize("own", OWN)
def test_the_users_file_keeps_every_byte_and_gets_them_back(folder, own):
    folder.mkdir(parents=True)
    init = folder / "init.py"
    init.write_bytes(own)
    init.chmod(0o640)
    assert install(folder) == 0
    once = init.read_bytes()
    assert once.startswith(own) and len(once) > len(own)
    assert (b"\n" in once.replace(b"\r\n", b"")) == (b"\r" not in own), "line ends are the file's own"
    assert install(folder) == 0
    assert init.read_bytes() == once
    assert init.stat().st_mode & 0o777 == 0o640
    assert install(folder, "--uninstall") == 0
    assert init.read_bytes() == own
    assert list(folder.iterdir()) == [init]


def test_a_file_made_for_it_goes_with_it(folder, capsys):
    assert install(folder) == 0
    assert "Nodes menu" in capsys.readouterr().out
    assert install(folder, "--uninstall") == 0
    assert not (folder / "init.py").exists()
    assert install(folder, "--uninstall") == 0
    assert "has no lines" in capsys.readouterr().out


def test_a_dry_run_touches_nothing(folder, capsys):
    assert install(folder, "--dry-run") == 0
    assert "Would add" in capsys.readouterr().out
    assert not folder.exists()
    install(folder)
    before = (folder / "init.py").read_bytes()
    assert install(folder, "--uninstall", "--dry-run") == 0
    assert "Would remove" in capsys.readouterr().out
    assert (folder / "init.py").read_bytes() == before


def test_an_older_block_is_replaced_where_it_stands(folder):
    install(folder)
    init = folder / "init.py"
    ours = init.read_bytes()
    old = ours.replace(adapter_folder("nuke").as_posix().encode(), b"/gone/nuke")
    init.write_bytes(b"first = 1\n" + old + b"last = 2\n")
    assert install(folder) == 0
    assert init.read_bytes() == b"first = 1\n" + ours + b"last = 2\n"


def test_damaged_markers_are_refused_and_the_file_is_left(folder, capsys):
    install(folder)
    init = folder / "init.py"
    broken = init.read_bytes().replace(b"# <<<", b"#")
    init.write_bytes(broken)
    for options in ((), ("--uninstall",)):
        assert install(folder, *options) == 2
        assert "damaged markers" in capsys.readouterr().err
        assert init.read_bytes() == broken


def test_a_linked_file_stays_a_link(folder, tmp_path):
    folder.mkdir(parents=True)
    shared = tmp_path / "dotfiles.py"
    shared.write_text("import nuke\n")
    (folder / "init.py").symlink_to(shared)
    assert install(folder) == 0
    assert (folder / "init.py").is_symlink() and "cleanplate" in shared.read_text()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(folder, capsys):
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert install(folder) == 6
    assert str(folder) in capsys.readouterr().err


def test_an_unknown_host_names_the_known(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["install", "maya"])
    assert ended.value.code == 2
    assert "nuke" in capsys.readouterr().err


def test_the_lines_add_the_folder_and_name_the_command(folder, monkeypatch):
    install(folder)
    added: list[str] = []
    host = ModuleType("nuke")
    host.pluginAddPath = added.append
    monkeypatch.setitem(sys.modules, "nuke", host)
    monkeypatch.delenv("CLEANPLATE", raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    exec((folder / "init.py").read_bytes(), {})
    assert [Path(path) for path in added] == [adapter_folder("nuke")]
    assert Path(os.environ["CLEANPLATE"]) == own_command()
    assert subprocess.run([os.environ["CLEANPLATE"], "--version"], check=True, capture_output=True).stdout

"""Every script of the adapter: its syntax, and no name that the host does not give it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .host import ADAPTER, SETTING, new_lua

ROOT = ADAPTER.parent
SCRIPTS = sorted([*ADAPTER.rglob("*.lua"), *ADAPTER.rglob("*.fuse")])
BUTTONS = re.findall(r"BTNCS_Execute = \[\[(.*?)\]\]", SETTING.read_text("utf-8"), re.DOTALL)

needs_luacheck = pytest.mark.skipif(
    shutil.which("luacheck") is None, reason="luacheck is not here (Debian: lua-check)"
)


def luacheck(*options: str, text: str | None = None) -> str:
    command = ["luacheck", "--config", str(ROOT / ".luacheckrc"), "--no-color", *options]
    return subprocess.run(command, input=text, text=True, capture_output=True, cwd=ROOT, check=False).stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_syntax_and_encoding(script: Path):
    text = script.read_bytes()
    assert text.isascii() and b"\r" not in text and b"\t" not in text
    assert new_lua().eval(b"loadstring")(text), "LuaJIT refuses it"


@needs_luacheck
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_luacheck_finds_nothing(script: Path):
    said = luacheck(str(script.relative_to(ROOT)))
    assert "0 warnings / 0 errors in 1 file" in said, said


@needs_luacheck
def test_luacheck_finds_nothing_in_the_buttons():
    assert len(BUTTONS) == 9
    for code in BUTTONS:
        said = luacheck(
            "--read-globals", "comp", "tool", "bmd", "app", "--no-max-line-length", "-", text=code
        )
        assert "0 warnings / 0 errors" in said, said


@needs_luacheck
def test_luacheck_would_find_something():
    assert "undefined variable 'nothing'" in luacheck("-", text="nothing()\n")


def test_the_buttons_differ_in_their_action_alone():
    actions = [re.search(r'"(\w+)"\)\n', code)[1] for code in BUTTONS]
    assert actions == ["render", "update", "cancel", "reveal", "review", "check", "go", "paint", "patch"]
    assert len({code.replace(f'"{action}")', "") for code, action in zip(BUTTONS, actions, strict=True)}) == 1

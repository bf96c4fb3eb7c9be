"""Help texts: what is laid out by hand is printed as it stands."""

from __future__ import annotations

import argparse

import pytest

from plugin_core.cli import _parser


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every subcommand's parser by its name."""
    found = next(a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


@pytest.mark.parametrize("command", [name for name, parser in parsers().items() if parser.epilog])
def test_what_stands_under_the_options_keeps_its_lines(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    parser = parsers()[command]
    assert parser.epilog.rstrip() in parser.format_help()


@pytest.mark.parametrize("command", [name for name, parser in parsers().items() if parser.epilog])
def test_no_two_exit_codes_share_a_line(command):
    lines = parsers()[command].epilog.partition("exit codes:\n")[2].splitlines()
    firsts = [line.split()[0].rstrip(",") for line in lines if line.startswith("  ")]
    codes = [first for first in firsts if first.isdecimal()]
    assert codes == sorted(set(codes), key=int)

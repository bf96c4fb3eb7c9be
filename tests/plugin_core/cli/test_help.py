"""Help texts: the short one fits a screen, the whole one has everything, and every shell knows the words."""

from __future__ import annotations

import argparse
import shutil
import subprocess

import pytest

from plugin_core.cli import _parser, main
from plugin_core.cli.parser import Parser
from plugin_core.job.catalog import catalog

FIELDS = catalog()["fields"]


def parsers() -> dict[str, Parser]:
    """Every subcommand's parser by its name."""
    found = next(a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("command", [name for name, parser in parsers().items() if parser.epilog])
def test_what_stands_under_the_options_keeps_its_lines(command):
    parser = parsers()[command]
    assert parser.epilog.rstrip() in parser.format_help_all()


@pytest.mark.parametrize("command", [name for name, parser in parsers().items() if parser.epilog])
def test_no_two_exit_codes_share_a_line(command):
    lines = parsers()[command].epilog.partition("exit codes:\n")[2].splitlines()
    firsts = [line.split()[0].rstrip(",") for line in lines if line.startswith("  ")]
    codes = [first for first in firsts if first.isdecimal()]
    assert codes == sorted(set(codes), key=int)


@pytest.mark.parametrize("command", ["", *parsers()])
def test_the_short_help_fits_a_screen(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0 and len(lines) <= (46 if command == "worker" else 42)
    assert len(lines[0]) <= 80 and "--help-all" in "\n".join(lines)


def test_the_short_help_has_what_is_basic_and_the_whole_one_every_field_basic_ones_first():
    render = parsers()["render"]
    for name, field in FIELDS.items():
        if field["part"] in ("restore", "retarget"):
            continue
        asked = f"  {field['option']} "
        assert (asked in render.format_help()) == (field["level"] == "basic"), name
    whole = render.format_help_all()
    first, second = whole.partition("\nwhat goes away:\n")[2].partition("\n\n")[0].split("--matte-threshold")
    assert "--grow PX" in first and "--[no-]matte-invert" in first and "--matte-union" in second
    brief = next(line for line in render.format_help().splitlines() if "--quality" in line)
    assert brief.split() == ["--quality", "QUALITY", *["draft,", "standard", "or", "high", "(standard)"]]


def test_old_spellings_work_and_are_shown_nowhere():
    parse = _parser().parse_args
    assert parse(["demo", "--out", "x"]).output == parse(["demo", "--output=x"]).output == "x"
    assert parse(["farm", "slurm", "a.yaml", "--out=x"]).output == "x"
    assert parse(["models", "import", "x.pth", "--variant", "512", "--out", "y"]).output == "y"
    batch = parse(["batch", "a.yaml", "--summary", "s.json", "--progress", "table"])
    assert (batch.json, batch.progress) == ("s.json", "bar")
    for command in ("demo", "farm", "batch"):
        told = parsers()[command].format_help_all()
        assert "--out " not in told and "--summary" not in told and "table," not in told


@pytest.mark.parametrize(
    "words", [["probe"], ["qc"], ["render"], ["batch", "a.yaml"], ["doctor"], ["models", "list"]]
)
def test_json_is_spelled_alike(words):
    parse = _parser().parse_args
    assert parse(words).json is None
    assert parse([*words, "--json"]).json == "-" and parse([*words, "--json", "x.json"]).json == "x.json"


def test_more_or_less_is_told_before_and_after_a_commands_name():
    parse = _parser().parse_args
    assert parse(["-v", "doctor"]).told == parse(["doctor", "-v"]).told == 1
    assert parse(["-q", "doctor"]).told == parse(["doctor", "--quiet"]).told == -1
    assert "told" not in parse(["doctor"])


def test_more_is_told_of_an_error_when_it_is_asked_for(capsys, monkeypatch):
    monkeypatch.setattr("logging.root.handlers", [])  # pytest's own, beside which none is added
    assert main(["render", "--job", "nowhere.json"]) == 2
    short = capsys.readouterr().err
    assert short.splitlines() == ["cleanplate: Can't read job nowhere.json: No such file or directory."]
    assert main(["render", "--job", "nowhere.json", "-v"]) == 2
    long = capsys.readouterr().err
    assert "Traceback" in long and "FileNotFoundError" in long and long.splitlines()[-1] == short.strip()


def test_shells_complete_commands_options_choices_and_files(capsys, tmp_path):
    assert main(["completion", "zsh"]) == 0
    zsh = capsys.readouterr().out
    assert zsh.startswith("#compdef cleanplate") and "_files" in zsh and "--summary" not in zsh
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "cleanplate.bash"
    script.write_text(capsys.readouterr().out)
    (tmp_path / "plate.mov").touch()
    asks = [
        ("cleanplate ren", "render"),
        ("cleanplate render --qual", "--quality"),
        ("cleanplate render --quality dr", "draft"),
        ("cleanplate render --plate pl", "plate.mov"),
    ]
    lines = [f"cd {tmp_path}", f"source {script}"]
    for typed, _ in asks:
        words = typed.split()
        lines += [f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE='{typed}'"]
        lines += [
            "COMPREPLY=()",
            f"_shtab_cleanplate cleanplate {words[-1]} {words[-2]}",
            'echo "${COMPREPLY[*]}"',
        ]
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert [line.split() for line in done.stdout.splitlines()] == [[expected] for _, expected in asks], done
    if shutil.which("zsh") is not None:
        subprocess.run(["zsh", "-n", "-c", zsh], check=True)

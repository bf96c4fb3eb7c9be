"""Lists of shots: what is read, and how a mistake is told with its line."""

from __future__ import annotations

import json

import pytest

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import refuse_bad, understand
from plugin_core.cli import main
from plugin_core.errors import SettingsError

YAML = """\
version: 1
defaults:
  plate: "{name}/plate.####.exr"
  matte: /mattes/{name}/matte.####.png
  output: out/{name}/clean.####.exr
  grow: 4
  device: cpu
shots:
  - name: sh010
    frames: 1001-1100
    cuts: [1042, 1077]
  - name: 020            # not octal
    frames: 7
    grow: 8
    feather: 0.0
    matte_invert: on
  - {name: sh030, grow: null, chunk_frames: 40, pre_roll: 8}
"""


def read(folder, text: str, name: str = "shots.yaml", **overrides: str):
    (folder / name).write_text(text, "utf-8")
    return understand(read_shot_list(folder / name), overrides)


def mistake(folder, text: str, name: str = "shots.yaml") -> str:
    with pytest.raises(SettingsError) as caught:
        refuse_bad(read(folder, text, name)[1])
    return str(caught.value).replace(f"{folder}/", "")


def test_defaults_names_and_overrides(tmp_path):
    text = YAML.replace("    feather: 0.0\n", "")
    shots, bad = read(tmp_path, text, feather="3")
    assert bad == []
    first, second, third = (shot.job for shot in shots)
    assert [shot.name for shot in shots] == ["sh010", "020", "sh030"]
    assert first.shot.plate == str(tmp_path / "sh010" / "plate.####.exr")
    assert first.shot.matte == "/mattes/sh010/matte.####.png"
    assert first.shot.cuts == (1042, 1077) and first.settings.grow == 4
    assert (second.settings.grow, second.settings.matte_invert, second.shot.frames) == (8, True, "7")
    assert third.settings.grow == 2, "null takes the list's default back, to the core's"
    assert (shots[2].chunk_frames, third.settings.pre_roll) == (40, 8)
    assert {job.settings.feather for job in (first, second, third)} == {3}
    assert {job.run.device for job in (first, second, third)} == {"cpu"}


def test_json_and_csv_say_the_same(tmp_path):
    shot = {"name": "a", "plate": "p.####.exr", "matte": "m.png", "output": "o.####.exr", "grow": 3}
    fields = {"defaults": {"feather": 2}, "shots": [shot, {**shot, "name": "b", "output": "q.####.exr"}]}
    table = "name, plate, matte, output, grow, feather\n"
    table += "a, p.####.exr, m.png, o.####.exr, 3, 2\n\nb, p.####.exr, m.png, q.####.exr, 3, 2\n"
    from_json, _ = read(tmp_path, json.dumps(fields, indent="\t"), "shots.json")
    from_csv, _ = read(tmp_path, table, "shots.csv")
    assert [shot.job for shot in from_json] == [shot.job for shot in from_csv]
    assert [shot.line for shot in from_csv] == [2, 4]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            YAML.replace("grow: 8", "gorw: 8"),
            "shots.yaml:14: shot 020 has an unknown field 'gorw'; did you mean 'grow'?",
        ),
        (YAML.replace("grow: 4", "gorw: 4"), "shots.yaml:6: shot sh010 has an unknown field 'gorw'"),
        (
            YAML.replace("feather: 0.0", "feather: much"),
            "shots.yaml:15: shot 020: Settings field 'feather' should be",
        ),
        (
            YAML.replace("frames: 7", "frames: 9-7"),
            "shots.yaml:13: shot 020: Frame range '9-7' runs backwards",
        ),
        (YAML.replace("  matte: /mattes", "  mask: /mattes"), "has an unknown field 'mask'"),
        (YAML.replace("sh010", "sh 010"), "shots.yaml:9: a shot needs a 'name' of letters"),
        (YAML.replace("name: 020", "name: sh010"), "shots.yaml:12: the name 'sh010' is taken by line 9"),
        (YAML.replace("chunk_frames: 40", "chunk_frames: 0"), "'chunk_frames' should be 1 or more, got '0'"),
        (YAML.replace("{name}/clean", "clean"), "writes"),
        (YAML.replace("grow: 4", "grow: 4\n  patch: p/p.####.exr"), "p/p.####.exr, as line"),
    ],
)
def test_a_mistake_names_its_line(tmp_path, text, told):
    assert told in mistake(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("s.yaml", "shots:\n  - name: a\n    name: b\n", "s.yaml:3: 'name' is given twice, first in line 2"),
        ("s.yaml", "shots: [\n", "s.yaml:2: not YAML"),
        ("s.yaml", "", "is empty"),
        ("s.yaml", "shots: 3\n", "s.yaml:1: 'shots' must be a list"),
        ("s.yaml", "default: {}\nshots: []\n", "s.yaml:1: unknown part 'default'"),
        ("s.yaml", "version: 2\nshots: []\n", "s.yaml:1: version 2, this Cleanplate reads 1"),
        ("s.yaml", "defaults:\n  grow: 3\n", "there is no list of shots"),
        ("s.yaml", "shots:\n  - name: {a: b}\n", "s.yaml:2: expected a value, got fields"),
        ("s.json", '{"shots": [\n{"name": "a",}]}', "s.json:2: not JSON"),
        ("s.csv", "name,plate\na\n", "s.csv:2: expected 2 cells"),
        ("s.txt", "", "a list of shots is a .yaml, .json or .csv file"),
    ],
)
def test_a_list_that_cannot_be_read(tmp_path, name, text, told):
    assert told in mistake(tmp_path, text, name)


def test_every_mistake_is_told(tmp_path):
    told = mistake(
        tmp_path, YAML.replace("grow: 8", "gorw: 8").replace("chunk_frames: 40", "chunk_frames: x")
    )
    assert len(told.splitlines()) == 2


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="Can't read"):
        read_shot_list(tmp_path / "none.yaml")


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 20))


@pytest.mark.parametrize("command", ["batch", "farm"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAUGHS, ":7: more than 500000 values, each alias spelled out."),
        ("shots:\n  - cuts: " + "[" * 100_000, ":2: nested more than 64 deep."),
        ("shots: &s [{name: a, cuts: *s}]", ":1: *s stands within what it stands for."),
    ],
)
def test_a_list_that_would_fill_the_memory_is_refused(tmp_path, capsys, command, text, told):
    (tmp_path / "shots.yaml").write_text(text)
    words = ["batch", "--check"] if command == "batch" else ["farm", "slurm", "--out", str(tmp_path / "job")]
    assert main([*words, str(tmp_path / "shots.yaml")]) == 2
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 1 and len(said) < 400


def test_json_lists_have_limits_too(tmp_path):
    deep = '{"shots": [{"name": "a", "cuts": ' + "[" * 5000 + "]" * 5000 + "}]}"
    assert mistake(tmp_path, deep, "shots.json") == "shots.json:1: nested more than 64 deep."
    twice = '{"shots": [{"name": "a", "name": "b"}]}'
    assert mistake(tmp_path, twice, "shots.json") == "shots.json:1: 'name' is given twice."

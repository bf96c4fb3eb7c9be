"""Read each engine's files again, as the engine would, down to the words of every task."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import yaml
from openjd.model import decode_job_template

RULES = "/rules.json"
"""What Open Job Description's runner puts in for its path mapping rules."""


@dataclass(frozen=True)
class Farmed:
    """A job as its files say.

    Attributes:
        title: the job's name.
        tasks: the words of each task, the command first.
    """

    title: str
    tasks: list[tuple[str, ...]]

    def asked(self) -> Counter[tuple[str, str, str]]:
        """Return what is done how often: render, paint or qc, of which output, which chunk."""
        return Counter(_asked(words) for words in self.tasks)


def _asked(words: tuple[str, ...]) -> tuple[str, str, str]:
    job = json.loads(Path(words[words.index("--job") + 1]).read_text("utf-8"))
    chunk = next((word for word in words if word.startswith("--chunk=")), "")
    return words[1], job["shot"]["output"], chunk


def read_back(engine: str, folder: Path) -> Farmed:
    """Read a job again; fails where an engine would refuse it, or take two of its names for one."""
    return _READERS[engine](folder)


def different(names: list[str]) -> bool:
    """Whether no two of them are one to a file system that knows no case, or to OpenCue."""
    return len({name.casefold().replace("-", "_") for name in names}) == len(names)


def files_of(folder: Path) -> list[str]:
    """Every file that was written."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _openjd(folder: Path) -> Farmed:
    told = yaml.safe_load((folder / "template.yaml").read_text("utf-8"))
    decode_job_template(template=told)
    command = {one["name"]: one["default"] for one in told["parameterDefinitions"]}["Cleanplate"]
    assert different([step["name"] for step in told["steps"]])
    tasks: list[tuple[str, ...]] = []
    for step in told["steps"]:
        parameters = step["parameterSpace"]["taskParameterDefinitions"]
        run = step["script"]["actions"]["onRun"]
        assert run["command"] == "{{Param.Cleanplate}}"
        for values in zip(*(one["range"] for one in parameters), strict=True):
            own = {f"Task.Param.{one['name']}": str(v) for one, v in zip(parameters, values, strict=True)}
            own |= {"Param.Jobs": str(folder / "jobs"), "Session.PathMappingRulesFile": RULES}
            words = (re.sub(r"\{\{(.*?)\}\}", lambda m, own=own: own[m[1]], word) for word in run["args"])
            tasks.append((command, *words))
    return Farmed(told["name"], tasks)


def _deadline_cloud(folder: Path) -> Farmed:
    for name in ("parameter_values.yaml", "asset_references.yaml"):
        assert yaml.safe_load((folder / name).read_text("utf-8"))
    return _openjd(folder)


def _deadline(folder: Path) -> Farmed:
    listed = (folder / "submit.py").read_text("utf-8").partition("JOBS = ")[2].partition("]")[0] + "]"
    names = ast.literal_eval(listed)
    assert different(names)
    tasks, titles = [], set()
    for number, name in enumerate(names):
        info = _pairs(folder / f"{name}.job_info.txt")
        plugin = _pairs(folder / f"{name}.plugin_info.txt")
        titles.add(info["BatchName"])
        assert info["Name"] == f"{info['BatchName']} {name}"
        assert info.get("JobDependencies", "@@")[1:-1] in ("", *names[:number])
        for first, last in _chunks(info["Frames"], int(info["ChunkSize"])):
            words = (plugin["Executable"], *_arguments(plugin["Arguments"]))
            filled = (w.replace("<STARTFRAME>", first).replace("<ENDFRAME>", last) for w in words)
            tasks.append(tuple(filled))
    return Farmed(titles.pop(), tasks)


def _pairs(path: Path) -> dict[str, str]:
    pairs = [line.split("=", 1) for line in path.read_text("utf-8").splitlines()]
    assert len({name for name, _ in pairs}) == len(pairs) and all(name.isalpha() for name, _ in pairs)
    return dict(pairs)


def _arguments(line: str) -> Iterator[str]:
    """Quotes hold words together; nothing else means anything, and a backslash before a quote is refused."""
    assert '\\"' not in line
    for quoted, bare in re.findall(r'"([^"]*)"(?: |$)|([^ "]+)(?: |$)', line):
        yield quoted or bare
    assert re.fullmatch(r'(?:(?:"[^"]*"|[^ "]+)(?: |$))*', line), line


def _slurm(folder: Path) -> Farmed:
    batch = (folder / "task.sbatch").read_text("utf-8")
    title = re.search(r"^#SBATCH --job-name=(\S+)$", batch, re.MULTILINE)
    command = re.search(r'^    (.*) "\$\{words\[@\]\}" &$', batch, re.MULTILINE)
    assert title is not None and command is not None and "/" not in title[1]
    words = shlex.split(command[1])
    assert len(words) == 1
    tasks = []
    queued = (folder / "submit.sh").read_text("utf-8")
    for first, last, path in re.findall(
        r"queue(?: .*?)? --array=(\d+)(?:-(\d+))? .*?task.sbatch (\S+?)\)?$", queued, re.MULTILINE
    ):
        lines = (folder / path).read_text("utf-8").split("\n")
        assert lines.pop() == ""
        tasks += [(words[0], *lines[n - 1].split("\t")) for n in range(int(first), int(last or first) + 1)]
    return Farmed(title[1], tasks)


def _opencue(folder: Path) -> Farmed:
    root = ElementTree.parse(folder / "job.xml").getroot()
    names = [layer.get("name", "") for layer in root.iter("layer")]
    # What Cuebot makes of names, and demands of them.
    conform = [name.replace("-", "_").lower() for name in names]
    assert len(set(conform)) == len(names) and all(re.fullmatch(r"[\w.]{3,}", name) for name in conform)
    waits = [(d.findtext("deplayer"), d.findtext("onlayer")) for d in root.iter("depend")]
    assert {name for pair in waits for name in pair} <= set(names)
    tasks = []
    for layer in root.iter("layer"):
        command = layer.findtext("cmd", "").strip()
        for first, last in _chunks(layer.findtext("range", ""), int(layer.findtext("chunk", ""))):
            filled = command.replace("#FRAME_START#", first).replace("#FRAME_END#", last)
            tasks.append(tuple(shlex.split(filled)))
    (job,) = root.iter("job")
    return Farmed(job.get("name", ""), tasks)


def _chunks(frames: str, size: int) -> list[tuple[str, str]]:
    found = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?", frames)
    assert found is not None
    first, last = int(found[1]), int(found[2] or found[1])
    return [(str(a), str(min(a + size - 1, last))) for a in range(first, last + 1, size)]


def _tractor(folder: Path) -> Farmed:
    text = (folder / "job.alf").read_text("utf-8")
    words = tcl_list(text[text.index("Job ") :])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    shots = _operators(options["-subtasks"])
    assert different([title for title, _ in shots])
    return Farmed(options["-title"], [task for _, shot in shots for task in _tasks(shot)])


def _operators(text: str) -> list[tuple[str, dict[str, str]]]:
    """The tasks of a list of them: title and options of each."""
    words = tcl_list(text)
    starts = [*(n for n, word in enumerate(words) if word == "Task"), len(words)]
    return [
        (words[a + 1], dict(zip(words[a + 2 : b : 2], words[a + 3 : b : 2], strict=True)))
        for a, b in pairwise(starts)
    ]


def _tasks(options: dict[str, str]) -> Iterator[tuple[str, ...]]:
    for _, inner in _operators(options.get("-subtasks", "")):
        yield from _tasks(inner)
    if "-cmds" in options:
        remote, launched = tcl_list(options["-cmds"])
        assert remote == "RemoteCmd"
        yield tuple(tcl_list(launched))


def tcl_list(text: str) -> list[str]:
    """Split a list as Tcl does, as far as braces and bare words go; what would be substituted fails."""
    words = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return words
        if text[at] == "{":
            depth, begin = 1, at + 1
            while depth:
                at += 1
                at += 1 if text[at] == "\\" else 0
                depth += (text[at] == "{") - (text[at] == "}")
            words.append(text[begin:at])
            at += 1
            assert at == len(text) or text[at].isspace(), "extra letters after a brace"
        else:
            bare = re.compile(r"[^\s{}\\\"$\[\]]+").match(text, at)
            assert bare is not None, text[at : at + 20]
            words.append(bare[0])
            at = bare.end()


_READERS: dict[str, Callable[[Path], Farmed]] = {
    "openjd": _openjd,
    "deadline-cloud": _deadline_cloud,
    "deadline": _deadline,
    "opencue": _opencue,
    "tractor": _tractor,
    "slurm": _slurm,
}

"""Every name used of Nuke is one that Nuke has (`make lint` holds the types), in Python 3.7's syntax."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from .conftest import ADAPTER
from .standin import Host, nodes

SOURCES = sorted(ADAPTER.rglob("*.py"))


@pytest.fixture(scope="module")
def stubs() -> dict[str, set[str]]:
    """Names of the module under '', and each class's methods with those of its bases, from types-nuke."""
    folder = Path(next(iter(find_spec("nuke-stubs").submodule_search_locations)))
    found: dict[str, set[str]] = {"": {"nodes"}}
    bases: dict[str, list[str]] = {}
    for path in folder.glob("*.pyi"):
        for item in ast.parse(path.read_text("utf-8")).body:
            names = list(_defined(item))
            found[""].update(names)
            if isinstance(item, ast.ClassDef):
                found[item.name] = {name for part in item.body for name in _defined(part)}
                bases[item.name] = [base.id for base in item.bases if isinstance(base, ast.Name)]
    for name in bases:
        queue = list(bases[name])
        while queue:
            base = queue.pop()
            found[name] |= found.get(base, set())
            queue += bases.get(base, [])
    return found


def _defined(item: ast.stmt) -> Iterator[str]:
    if isinstance(item, ast.FunctionDef | ast.ClassDef):
        yield item.name
    elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
        yield item.target.id


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_the_adapter_uses_names_of_nuke_only(source, stubs):
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "nuke":
            assert node.attr in stubs[""], f"{source}:{node.lineno}: nuke.{node.attr}"


def test_the_stand_in_has_names_of_nuke_only(stubs):
    module = Host().module
    for name in vars(module):
        assert name.startswith("__") or name in stubs[""], name
    classes = [item for item in vars(module).values() if inspect.isclass(item)]
    assert nodes.Node in classes and module.ProgressTask in classes
    for kind in classes:
        for name in vars(kind):
            assert name.startswith("_") or name in stubs[kind.__name__], f"{kind.__name__}.{name}"


def test_the_adapter_imports_the_standard_library_and_nuke_only():
    allowed = set(sys.stdlib_module_names) | {"nuke", "nukescripts", "cleanplate_nuke"}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            for module in modules:
                assert module.partition(".")[0] in allowed, f"{source}: {module}"


def test_no_folder_of_ours_can_shadow_nukes_own_module():
    assert not (ADAPTER / "__init__.py").exists()


def test_the_syntax_is_that_of_python_3_7():
    code = "import sys; from vermin import main; sys.argv = ['vermin'] + sys.argv[1:]; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "-t=3.7-", "--violations", "--no-tips", str(ADAPTER)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

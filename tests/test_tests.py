"""The rules of the tests, read from their source: where modules are tested, and how."""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.test_architecture import MODULES, PACKAGE, edges, listed

TESTS = Path(__file__).parent
TREES = {
    path.relative_to(TESTS).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(TESTS.rglob("*.py"))
}
WHERE = tomllib.loads((TESTS / "where.toml").read_text(encoding="utf-8"))
"""Where modules are tested that have no test file of their own."""
PUBLIC_NAMES = {f"hfjax.{name}": module for module, name in listed()}
COMMAND_LINE = ("hfjax.cli", "hfjax.__main__")
"""What the fixture `hfjax` runs."""
BELOW = {module: set() for module in MODULES}
for upper, lower in edges():
    BELOW[upper].add(lower)


def rows(table, before="hfjax"):
    """Yield each module of the table, with its test file and the name used there."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from rows(value, f"{before}.{key}")
        else:
            yield (f"{before}.{key}", *value)


def origins(tree, name):
    """Return the modules that a name in a test file is from, if it is used there."""
    nodes = list(ast.walk(tree))
    if any(isinstance(node, ast.arg) and node.arg == name == "hfjax" for node in nodes):
        return {module for module in MODULES if module.startswith(COMMAND_LINE)}
    if any(isinstance(n, ast.Attribute) and ast.unparse(n) == name for n in nodes):
        return {PUBLIC_NAMES[name]}
    used = any(isinstance(node, ast.Name) and node.id == name for node in nodes)
    imports = (node for node in nodes if isinstance(node, ast.ImportFrom) and used)
    named = {n.module for n in imports if name in {alias.name for alias in n.names}}
    found = named | {f"{module}.{name}" for module in named}
    return found | {PUBLIC_NAMES[each] for each in found & PUBLIC_NAMES.keys()}


def test_every_module_is_tested_at_its_place_or_where_the_table_says():
    modules = {name: path for name, path in MODULES.items() if path.stem != "__init__"}
    own = {
        name
        for name, path in modules.items()
        if (TESTS / path.relative_to(PACKAGE).parent / f"test_{path.name}").exists()
    }
    told = [module for module, _, _ in rows(WHERE)]
    assert sorted(told) == sorted(modules.keys() - own)


@pytest.mark.parametrize(("module", "file", "name"), list(rows(WHERE)))
def test_the_table_names_tests_that_reach_the_module(module, file, name):
    reached, todo = set(), origins(TREES[file], name)
    while todo:
        reached |= todo
        todo = set().union(*(BELOW.get(each, set()) for each in todo)) - reached
    assert module in reached


# -- private names -----------------------------------------------------------------

PUBLIC = {"_replace", "_fields", "_asdict", "_repr_html_"}
"""Names that others have given to public things: named tuples, and notebooks."""
BY_TEXT = {"setattr", "delattr", "getattr", "hasattr", "import_module"}
"""Functions, and methods of `monkeypatch`, that are told a name as text."""


def private_names(tree):
    """Yield the private names of others that a test imports, reads or replaces."""
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            found = [getattr(node, "module", "") or "", *(a.name for a in node.names)]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) != "self":
            found = [node.attr]
        elif isinstance(node, ast.Call) and called(node) in BY_TEXT:
            texts = [part for each in node.args for part in ast.walk(each)]
            found = [n.value for n in texts if isinstance(n, ast.Constant)]
        parts = [part for text in found for part in str(text).split(".")]
        yield from (part for part in parts if is_private(part))


def called(call):
    """Return the last name of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def is_private(name):
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


@pytest.mark.parametrize("file", TREES)
def test_no_test_reaches_for_what_is_private(file):
    """What tests need is public, or is reached by what is."""
    assert list(private_names(TREES[file])) == []


@pytest.mark.parametrize(
    "source",
    [
        "from hfjax.fitting.best_fit import _fit",
        "from hfjax._fitting import fit",
        "import hfjax._fitting",
        "function._cache_size()",
        "module._write = None",
        "monkeypatch.setattr(module, '_write', fail)",
        "monkeypatch.setattr('hfjax.fitting._write', fail)",
        "monkeypatch.setattr(f'hfjax.{name}._write', fail)",
        "getattr(module, '_write')",
    ],
)
def test_private_names_are_seen(source):
    assert len(list(private_names(ast.parse(source)))) == 1

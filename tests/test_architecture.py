"""The rules of the house, read from the source: layers, sizes, docstrings."""

import ast
import importlib
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import hfjax

PACKAGE = Path(__file__).parent.parent / "hfjax"
LAYERS = (
    ("errors", "arrays"),
    ("spec",),
    ("model",),
    ("fit",),
    ("infer",),
    ("scan",),
    ("plot",),
    ("cli", "__main__"),
)
FILE_LINES, BODY_LINES, ARGUMENTS, MEDIAN_BODY = 400, 60, 6, 8

FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
each_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def module_name(path):
    """Return the dotted name of the module in a file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_name(path): path for path in FILES}


def own_imports(tree):
    """Return the names of our own modules that a piece of source imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name in MODULES}


def layer(module):
    """Return the level of a module's layer; the contents page has none."""
    part = module.split(".")[1]
    return next(level for level, names in enumerate(LAYERS) if part in names)


def functions(tree):
    """Return all functions and methods of a piece of source."""
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]


def body_lines(function):
    """Return the number of lines of a function's body without its docstring."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@each_file
def test_imports_point_down(path):
    module = module_name(path)
    for found in own_imports(TREES[path]) - {"hfjax"}:
        if path != PACKAGE / "__init__.py":
            assert layer(found) <= layer(module), f"{module} imports {found}"


def test_only_the_command_line_imports_the_contents_page():
    users = [path for path in FILES if "hfjax" in own_imports(TREES[path])]
    assert {layer(module_name(path)) for path in users} <= {layer("hfjax.cli")}


@pytest.mark.parametrize("part", ["model", "fit", "infer"])
def test_arrays_never_see_documents_but_where_models_are_built(part):
    names = ("build.py", "fill.py", "layout.py")
    builders = {PACKAGE / "model" / name for name in names}
    for path in sorted(set((PACKAGE / part).rglob("*.py")) - builders):
        found = own_imports(TREES[path])
        assert not any(name.startswith("hfjax.spec") for name in found), path


def test_there_is_no_import_cycle():
    edges = {
        name: own_imports(TREES[path]) - {name}
        for name, path in MODULES.items()
        if name != "hfjax"
    }
    done = set()

    def visit(name, way):
        assert name not in way, " -> ".join([*way, name])
        if name not in done:
            for found in sorted(edges.get(name, ())):
                visit(found, [*way, name])
            done.add(name)

    for name in edges:
        visit(name, [])


@each_file
def test_no_function_imports_our_own_code(path):
    for function in functions(TREES[path]):
        found = own_imports(function) - {"hfjax"}
        assert not found, f"{function.name}, line {function.lineno}, imports {found}"


@each_file
def test_file_is_short(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= FILE_LINES


@each_file
def test_functions_are_short_and_take_few_arguments(path):
    for function in functions(TREES[path]):
        place = f"{function.name}, line {function.lineno}"
        assert body_lines(function) <= BODY_LINES, place
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        counted = [a for a in named if a.arg not in ("self", "cls")]
        assert len(counted) <= ARGUMENTS, place


def test_median_function_is_short():
    sizes = [body_lines(f) for tree in TREES.values() for f in functions(tree)]
    assert statistics.median(sizes) <= MEDIAN_BODY


def public_definitions(body, prefix=""):
    """Yield the public functions, classes and methods of a module or class."""
    for node in body:
        if isinstance(node, (*FUNCTION, ast.ClassDef)) and not node.name.startswith(
            "_"
        ):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{prefix}{node.name}.")


@each_file
def test_everything_public_has_a_docstring(path):
    assert ast.get_docstring(TREES[path])
    bare = [
        name
        for name, node in public_definitions(TREES[path].body)
        if not ast.get_docstring(node)
    ]
    assert not bare


@each_file
def test_no_file_is_called_by_nothing_in_particular(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    assert not {"utils", "helpers", "misc", "common"} & set(parts)


def test_only_the_command_line_prints():
    for path in FILES:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.Name) and node.id == "print":
                assert PACKAGE / "cli" in path.parents, f"{path}, line {node.lineno}"


def loaded_modules(code):
    """Return the names of all modules that are loaded after some code, in a new Python.

    The code runs without the hooks of the test session.
    """
    script = f"{code}\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


SLOW = {"jax", "jaxlib", "numpy", "equinox", "uproot", "jaxopt", "optax", "matplotlib"}


@pytest.mark.parametrize(
    "code",
    [
        "import hfjax",
        "import hfjax; hfjax.Workspace, hfjax.PatchSet, hfjax.HfjaxError",
        "import hfjax; hfjax.check, hfjax.Finding",
        "import hfjax.spec.workspace, hfjax.spec.patchset",
    ],
)
def test_documents_are_read_without_jax(code):
    assert not loaded_modules(code) & SLOW


def test_jsonschema_is_loaded_for_wrong_documents_only():
    code = "from hfjax.spec.workspace import Workspace"
    assert "jsonschema" not in loaded_modules(code)


LISTED = [(module, name) for module, names in hfjax.CONTENTS.items() for name in names]


@pytest.mark.parametrize(("module", "name"), LISTED)
def test_contents_page_gives_what_it_lists(module, name):
    assert getattr(hfjax, name) is getattr(importlib.import_module(module), name)
    assert name in dir(hfjax)


def test_contents_page_lists_the_same_names_for_type_checkers():
    tree = TREES[PACKAGE / "__init__.py"]
    found = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("hfjax.")
        for alias in node.names
    }
    assert found == set(LISTED)


def test_unknown_attribute_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'Workspce'"):
        _ = hfjax.Workspce


@pytest.mark.parametrize("name", ["fit", "scan"])
def test_function_wins_over_the_package_of_its_name(name):
    importlib.import_module(f"hfjax.{name}")
    assert callable(getattr(hfjax, name))

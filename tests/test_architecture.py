"""The rules of the house, read from the source: layers, sizes, docstrings."""

import ast
import importlib
import inspect
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import hfjax

PACKAGE = Path(__file__).parent.parent / "hfjax"
ROOMS = (
    ("errors", "arrays", "version", "provenance", "record", "html_table", "json_text"),
    ("documents",),
    ("model",),
    ("building",),
    ("compiled",),
    ("fitting",),
    ("inference",),
    ("results",),
    ("tables",),
    ("scanning",),
    ("plotting",),
    ("reporting",),
    ("cli",),
    ("__main__",),
)
"""The rooms of the house: who may import whom is read from below."""
ROOMS_OF_DOCUMENTS = (
    ("reading",),
    ("workspace",),
    ("parameters", "patchset"),
    ("edit", "check", "inspect", "convert", "published"),
)
"""The rooms of `documents`: none imports from one above it, or beside it."""
WITHOUT_DOCUMENTS = ("model", "compiled", "fitting", "inference", "plotting")
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


def floor(rooms, room):
    """Return how high a room is, of rooms from below."""
    return next(level for level, names in enumerate(rooms) if room in names)


def edges():
    """Yield every module and each of our own modules that it imports."""
    inside = {name: path for name, path in MODULES.items() if name != "hfjax"}
    for module, path in inside.items():
        for found in own_imports(TREES[path]) - {"hfjax", module}:
            yield module, found


def of_one_folder(folder):
    """Return, for what is in a folder, which of it imports which other of it."""
    depth, inside = folder.count(".") + 1, f"{folder}."
    found = {}
    for one, other in edges():
        if one.startswith(inside) and other.startswith(inside):
            parts = one.split(".")[depth], other.split(".")[depth]
            if parts[0] != parts[1]:
                found.setdefault(parts[0], set()).add(parts[1])
    return found


def functions(tree):
    """Return all functions and methods of a piece of source."""
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]


def body_lines(function):
    """Return the number of lines of a function's body without its docstring."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_every_room_has_its_place():
    parts = {path.name for path in PACKAGE.iterdir() if path.suffix != ".pyi"}
    parts = {part.removesuffix(".py") for part in parts}
    others = {"__init__", "__pycache__", "py.typed"}
    assert parts - others == {room for rooms in ROOMS for room in rooms}
    rooms = {path.name for path in (PACKAGE / "documents").iterdir() if path.is_dir()}
    names = {room for rooms in ROOMS_OF_DOCUMENTS for room in rooms}
    assert rooms - {"__pycache__"} == names


def test_imports_point_down():
    for module, found in edges():
        upper, lower = (name.split(".")[1] for name in (module, found))
        assert floor(ROOMS, lower) <= floor(ROOMS, upper), f"{module} imports {found}"


def test_imports_of_documents_point_down():
    start = "hfjax.documents."
    for module, found in edges():
        if module.startswith(start) and found.startswith(start):
            upper, lower = (name.split(".")[2] for name in (module, found))
            floors = [floor(ROOMS_OF_DOCUMENTS, room) for room in (lower, upper)]
            assert upper == lower or floors[0] < floors[1], f"{module} imports {found}"


def test_only_the_command_line_imports_the_contents_page():
    users = [path for path in FILES if "hfjax" in own_imports(TREES[path])]
    assert {path.relative_to(PACKAGE).parts[0] for path in users} <= {"cli"}


def test_arrays_never_see_documents_but_where_models_are_built():
    for module, found in edges():
        if module.split(".")[1] in WITHOUT_DOCUMENTS:
            assert not found.startswith("hfjax.documents"), f"{module}: {found}"


@pytest.mark.parametrize(
    "folder", sorted({"hfjax", *(m.rpartition(".")[0] for m in MODULES)} - {""})
)
def test_there_is_no_cycle_of_files_or_folders(folder):
    found, done = of_one_folder(folder), set()

    def visit(name, way):
        assert name not in way, " -> ".join([*way, name])
        if name not in done:
            for other in sorted(found.get(name, ())):
                visit(other, [*way, name])
            done.add(name)

    for name in found:
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


def test_one_file_asks_which_devices_there_are():
    """A result names the device that it was found on; nothing depends on it."""
    asks = {"default_backend", "local_devices", "devices", "device_count"}
    found = {
        (path.relative_to(PACKAGE).as_posix(), ast.unparse(node))
        for path in FILES
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Attribute) and node.attr in asks
    }
    known = "compiled/devices.py"
    assert found == {
        (known, "jax.default_backend"),
        (known, "jax.local_devices"),
        ("provenance.py", "jax.devices"),
    }


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
        "import hfjax.documents.workspace.workspace, hfjax.documents.patchset.patchset",
    ],
)
def test_documents_are_read_without_jax(code):
    assert not loaded_modules(code) & SLOW


def test_jsonschema_is_loaded_for_wrong_documents_only():
    code = "from hfjax.documents.workspace.workspace import Workspace"
    assert "jsonschema" not in loaded_modules(code)


def listed():
    """Return the public names and their modules, as the contents page has them."""
    page = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    return [
        (f"hfjax.{node.module}", alias.name)
        for node in page.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


@pytest.mark.parametrize(("module", "name"), listed())
def test_contents_page_gives_what_it_lists(module, name):
    found = getattr(hfjax, name)
    assert found is getattr(importlib.import_module(module), name)
    assert getattr(found, "__module__", module) == module
    assert name in dir(hfjax)


def test_contents_page_lists_each_name_once():
    names = [name for _, name in listed()]
    assert sorted(set(names)) == sorted(names) == sorted(hfjax.__all__)


def test_unknown_attribute_is_refused():
    with pytest.raises(AttributeError, match=r"attribute '?Workspce"):
        _ = hfjax.Workspce


@pytest.mark.parametrize(
    "name", ["fitting.status", "scanning.run", "inference.profile"]
)
def test_modules_are_imported_by_their_names(name):
    """No package has the name of a function, which would hide it."""
    exec(f"import hfjax.{name} as module; assert module.__name__ == 'hfjax.{name}'")
    assert not {name for _, name in listed()} & {p.stem for p in PACKAGE.iterdir()}


HOUSE = PACKAGE.parent / "docs" / "architecture.md"


def test_the_page_of_the_house_names_what_is_there_and_all_rooms():
    named = set(re.findall(r"`((?:hfjax|tests)/[\w./]+)`", HOUSE.read_text("utf-8")))
    missing = {name for name in named if not (PACKAGE.parent / name).exists()}
    assert not missing
    rooms = {f"hfjax/{room}/" for rooms in ROOMS for room in rooms}
    rooms = {room for room in rooms if (PACKAGE.parent / room).is_dir()}
    inner = {
        f"{path.relative_to(PACKAGE.parent).as_posix()}/"
        for part in ("documents", "fitting", "cli")
        for path in (PACKAGE / part).iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert rooms | inner <= named


def test_the_page_of_the_house_has_the_rooms_in_their_order():
    text = HOUSE.read_text("utf-8")
    places = [
        text.index(f"- `hfjax/{room}/`: ")
        for rooms in ROOMS
        for room in rooms
        if (PACKAGE / room).is_dir()
    ]
    assert places == sorted(places)


WITHOUT_EXAMPLE = {"download"}
"""What needs the network."""


@pytest.mark.parametrize("name", sorted({name for _, name in listed()}))
def test_every_public_function_has_an_example(name):
    found = getattr(hfjax, name)
    if inspect.isfunction(found) and name not in WITHOUT_EXAMPLE:
        text = inspect.getdoc(found)
        assert ">>> " in text
        names = [n for n in inspect.signature(found).parameters if n != "kwargs"]
        assert len(names) < 2 or "Args:" in text or name in ("normsys", "histosys")

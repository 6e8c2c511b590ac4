"""Compiled programs in files: found again, told apart, never trusted when damaged."""

import importlib.metadata
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

from hfjax.building.build import build
from hfjax.compiled.program import Program
from hfjax.compiled.store import (
    MOST_FILES,
    PACKAGES,
    Kept,
    ProgramStore,
    dependencies,
)
from hfjax.fitting.best_fit import fit
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from tests.workspaces import HELLO, shapesys


@pytest.fixture(autouse=True)
def without_cache_of_jax():
    """The store leaves programs to JAX's own cache where that is on."""
    kept = ("jax_compilation_cache_dir", "jax_enable_compilation_cache")
    before = {name: jax.config.values[name] for name in kept}
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def power(store, x, n=4, module=__name__):
    """Square root of a power by way of LAPACK, and how often it was traced for that."""
    traces = []

    def _power(x, n):
        traces.append(n)
        return {"power": jnp.linalg.cholesky(x[None, None] ** n)[0, 0]}

    _power.__module__ = module
    function = jax.jit(_power, static_argnames="n")
    found = store.run(Program(function, (jnp.asarray(x),), {"n": n}))
    return float(found["power"]), len(traces)


def test_a_second_store_finds_what_the_first_has_compiled(tmp_path):
    assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    assert power(ProgramStore(tmp_path), 2.0) == (4.0, 0)


def test_a_store_tells_of_each_program_that_it_has_got(tmp_path):
    told = []
    for _ in range(2):
        store = ProgramStore(tmp_path, told.append)
        for _ in range(2):
            power(store, 3.0)
    broken = ProgramStore(tmp_path / "file" / "folder", told.append)
    (tmp_path / "file").write_bytes(b"")
    with pytest.warns(UserWarning, match="not kept"):
        power(broken, 3.0)
    before = [Kept.BEFORE] * 3
    assert [use.kept for use in told] == [Kept.NOW, *before, Kept.NOT]
    assert all(use.seconds > 0.0 for use in told)
    assert {use.name.rpartition(".")[2] for use in told} == {"_power"}


def test_a_store_loads_a_program_once(tmp_path):
    function = jax.jit(lambda x: x + 1.0)
    store = ProgramStore(tmp_path)
    assert store.run(Program(function, (jnp.asarray(1.0),), {})) == 2.0
    for path in tmp_path.iterdir():
        path.unlink()
    assert store.run(Program(function, (jnp.asarray(2.0),), {})) == 3.0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("x", "n"), [(3.0, 2), (np.float32(3.0), 4)], ids=["static", "kind"]
)
def test_what_a_program_depends_on_tells_it_apart(tmp_path, x, n):
    store = ProgramStore(tmp_path)
    power(store, 3.0)
    assert power(store, x, n)[1] == 1
    assert len(list(tmp_path.glob("*.program"))) == 2


def test_a_flag_of_the_compiler_tells_programs_apart(tmp_path, monkeypatch):
    power(ProgramStore(tmp_path), 3.0)
    monkeypatch.setenv("XLA_FLAGS", "--another")
    dependencies.cache_clear()  # it is read once, as JAX reads it once
    try:
        assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    finally:
        dependencies.cache_clear()


def test_functions_of_one_name_in_two_modules_are_told_apart(tmp_path):
    power(ProgramStore(tmp_path), 3.0, module="one")
    assert power(ProgramStore(tmp_path), 3.0, module="other")[1] == 1
    assert power(ProgramStore(tmp_path), 3.0, module="one")[1] == 0


@pytest.mark.parametrize("name", PACKAGES)
def test_another_version_of_a_package_tells_programs_apart(monkeypatch, name):
    version = importlib.metadata.version
    before = dependencies()
    dependencies.cache_clear()
    monkeypatch.setattr(
        importlib.metadata,
        "version",
        lambda of: "99.0" if of == name else version(of),
    )
    try:
        assert dependencies() != before
    finally:
        dependencies.cache_clear()


def test_the_minimizers_of_other_packages_are_in_the_versions():
    assert {"jax", "jaxlib", "equinox", "numpy", "optax", "jaxopt"} <= set(PACKAGES)


@pytest.mark.parametrize("content", [b"", b"no program", b"half"], ids=repr)
def test_a_damaged_file_is_replaced_with_a_warning(tmp_path, content):
    power(ProgramStore(tmp_path), 3.0)
    (path,) = tmp_path.glob("*.program")
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2] if content == b"half" else content)
    with pytest.warns(UserWarning, match="compiled anew"):
        assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    assert power(ProgramStore(tmp_path), 2.0) == (4.0, 0)


def test_no_unfinished_file_stays(tmp_path):
    power(ProgramStore(tmp_path / "new" / "folder"), 3.0)
    (path,) = (tmp_path / "new" / "folder").iterdir()
    assert path.suffix == ".program"


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.warns(UserWarning, match="not kept"):
        assert power(ProgramStore(tmp_path / "file" / "folder"), 3.0) == (9.0, 1)


def test_a_new_folder_is_its_users_alone(tmp_path):
    before = os.umask(0)
    try:
        power(ProgramStore(tmp_path / "new"), 3.0)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    (path,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def assert_not_used(folder):
    """What is kept in a folder is not read, and nothing is written."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    store = ProgramStore(folder)
    store.preload("cls of a workspace")
    assert power(store, 3.0) == (9.0, 1)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o775, 0o722])
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path, mode):
    power(foreseeing(tmp_path), 3.0)
    tmp_path.chmod(mode)
    with pytest.warns(UserWarning, match="other users may write to it") as told:
        assert_not_used(tmp_path)
    assert len(told) == 1


def test_a_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    power(foreseeing(tmp_path), 3.0)
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.warns(UserWarning, match="another user owns it") as told:
        assert_not_used(tmp_path)
    assert len(told) == 1


def test_a_folder_that_others_can_only_read_is_used(tmp_path):
    tmp_path.chmod(0o755)
    assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    assert power(ProgramStore(tmp_path), 3.0) == (9.0, 0)


def test_unfinished_files_of_one_program_never_share_a_name(tmp_path, monkeypatch):
    replace, unfinished = os.replace, []

    def noted(source, target):
        unfinished.append(Path(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", noted)
    power(ProgramStore(tmp_path), 3.0)
    (path,) = tmp_path.glob("*.program")
    path.unlink()
    power(ProgramStore(tmp_path), 3.0)
    assert len(set(unfinished)) == 2
    assert {path.parent for path in unfinished} == {tmp_path}


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch):
    def refused(*_):
        message = "disk full"
        raise OSError(message)

    monkeypatch.setattr(os, "replace", refused)
    with pytest.warns(UserWarning, match="not kept: disk full"):
        assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    assert not list(tmp_path.iterdir())


def test_files_that_another_process_removes_meanwhile_do_no_harm(tmp_path):
    (tmp_path / "gone.program").symlink_to("nowhere")  # is listed, has no date
    assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    assert power(ProgramStore(tmp_path), 3.0) == (9.0, 0)


def test_unfinished_files_of_ended_processes_go_too(tmp_path):
    for i in range(MOST_FILES + 5):
        (tmp_path / f"{i}.unfinished").write_bytes(b"half")
    power(ProgramStore(tmp_path), 3.0)
    assert len(list(tmp_path.glob("*.unfinished"))) == MOST_FILES


TRANSFORMS = {
    "jit": (lambda f: jax.jit(f)(3.0), 9.0),
    "vmap": (lambda f: jax.vmap(f)(jnp.array([3.0]))[0], 9.0),
    "grad": (lambda f: jax.grad(f)(3.0), 6.0),
    "jit of grad": (lambda f: jax.jit(jax.grad(f))(3.0), 6.0),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_program_inside_another_is_a_part_of_that(tmp_path, name):
    transform, expected = TRANSFORMS[name]
    square = jax.jit(lambda x: x**2)
    store = ProgramStore(tmp_path)
    assert transform(lambda x: store.run(Program(square, (x,), {}))) == expected
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_fit_inside_a_program_is_a_part_of_that(tmp_path):
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    settings = FitSettings(run=ProgramStore(tmp_path).run)
    one = jax.jit(lambda m, d: fit(m, d, settings=settings).twice_nll)(model, data)
    assert float(one) == pytest.approx(float(fit(model, data).twice_nll), rel=1e-10)
    assert not list(tmp_path.iterdir())


def test_an_executable_that_does_not_run_again_is_not_kept(tmp_path, monkeypatch):
    """Those that JAX itself has read from a file do not."""

    def broken(*_):
        message = "NOT_FOUND: Function not found"
        raise jax.errors.JaxRuntimeError(message)

    monkeypatch.setattr(serialize_executable, "deserialize_and_load", lambda *_: broken)
    with pytest.warns(UserWarning, match="not kept: NOT_FOUND"):
        assert power(ProgramStore(tmp_path), 3.0) == (9.0, 1)
    assert not list(tmp_path.iterdir())


def foreseeing(folder):
    store = ProgramStore(folder)
    store.preload("cls of a workspace")
    return store


def test_what_ran_on_an_occasion_is_foreseen(tmp_path):
    power(foreseeing(tmp_path), 3.0)
    (path,) = tmp_path.glob("*.program")
    os.utime(path, (0, 0))
    store = foreseeing(tmp_path)
    while not path.stat().st_mtime:  # which is set when it has been read
        time.sleep(0.01)
    path.unlink()
    assert power(store, 2.0) == (4.0, 0)


def test_what_was_foreseen_in_vain_does_no_harm(tmp_path):
    power(foreseeing(tmp_path), 3.0)
    assert power(foreseeing(tmp_path), 3.0, 2) == (3.0, 1)
    assert power(foreseeing(tmp_path), 2.0, 2) == (2.0, 0)
    assert power(foreseeing(tmp_path), 2.0) == (4.0, 0)


def test_the_least_recently_used_programs_go(tmp_path):
    power(ProgramStore(tmp_path), 3.0)
    (used,) = tmp_path.glob("*.program")
    for i in range(MOST_FILES):
        other = tmp_path / f"{i}.program"
        other.write_bytes(b"old")
        os.utime(other, (i, i))
    power(ProgramStore(tmp_path), 3.0, 2)
    kept = set(tmp_path.glob("*.program"))
    assert len(kept) == MOST_FILES
    assert used in kept
    assert tmp_path / "1.program" not in kept


def test_programs_are_left_to_the_cache_of_jax_where_that_is_on(tmp_path):
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "jax"))
    assert power(ProgramStore(tmp_path / "ours"), 3.0)[0] == 9.0
    assert not (tmp_path / "ours").exists()


@pytest.mark.slow
def test_a_hypothesis_test_is_the_same_from_a_file(tmp_path):
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    direct = hypotest(model, data)
    for _ in range(2):
        settings = FitSettings(run=ProgramStore(tmp_path).run)
        stored = hypotest(model, data, settings=settings)
        assert jax.tree.structure(stored) == jax.tree.structure(direct)
        assert float(stored.CLs_obs) == pytest.approx(float(direct.CLs_obs), rel=1e-10)
    assert len(list(tmp_path.glob("*.program"))) == 1


IN_A_NEW_PROCESS = """
import sys, jax, jax.numpy as jnp
from pathlib import Path
from hfjax.compiled.program import Program
from hfjax.compiled.store import ProgramStore
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", None)
functions = {
    "root": lambda x: jnp.linalg.cholesky(x)[1, 1],
    "sum": lambda x: jnp.sum(x),
}
chosen = functions[sys.argv[2]]
chosen.__qualname__ = sys.argv[2]
program = Program(jax.jit(chosen), (jnp.diag(jnp.array([1.0, 4.0])),), {})
found = ProgramStore(Path(sys.argv[1])).run(program)
print(float(found), "scipy.linalg" in sys.modules)
"""


@pytest.mark.parametrize(
    ("function", "known"), [("root", "2.0 True"), ("sum", "5.0 False")]
)
def test_lapack_is_loaded_for_what_calls_it(tmp_path, function, known):
    """It takes a tenth of a second, which small programs do not need."""
    command = [sys.executable, "-c", IN_A_NEW_PROCESS, str(tmp_path), function]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == known
    assert len(list(tmp_path.glob("*.program"))) == 1

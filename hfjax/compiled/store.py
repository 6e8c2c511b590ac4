"""Compiled programs, kept in files from one process to the next.

JAX keeps what its compiler made, but traces and lowers a function anew in each process;
for a small model that takes longer than everything else. Here the whole executable is
kept. Its file is named after all that it depends on: hfjax's source, the versions of
other packages, the processor, the shapes of the arguments, the settings.

What is read runs as code: a folder that others can write to is not used.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import pickle
import platform
import stat
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.experimental import serialize_executable
from jax.stages import Compiled

from hfjax.compiled.devices import on_cpu
from hfjax.compiled.program import Program, cpu_options, is_large

MOST_FILES = 100
"""Programs that are kept, and notes; the least recently used go first."""

PACKAGES = ("jax", "jaxlib", "equinox", "numpy", "optax", "jaxopt")
"""Packages that have a part in what a program is, beside hfjax itself."""

_UNFINISHED = ".unfinished"


class Kept(StrEnum):
    """Whether a program is kept, in a file."""

    BEFORE = "kept before"
    NOW = "kept now"
    NOT = "not kept"


class ProgramUse(NamedTuple):
    """A program that a store has got for the first time.

    Attributes:
        name: of its function, with its module.
        kept: whether it was in the folder, or is there now.
        seconds: that reading or compiling it took.
    """

    name: str
    kept: Kept
    seconds: float


class Loaded(NamedTuple):
    """An executable.

    Attributes:
        leaves: takes flat arguments and gives flat results.
        result: structure of the results.
        lapack: whether it calls LAPACK.
    """

    leaves: Callable[..., Any]
    result: Any
    lapack: bool


class ProgramStore:
    """Calls programs, and keeps their executables in a folder.

    On accelerators, and where JAX's own persistent cache is on, programs are left to
    that: what it has read cannot be kept again. A file that is read runs as code: a
    folder that another user owns or may write to is not used, with a warning.

    Args:
        folder: Where the files are kept; it is made for its user alone when it is
            needed.
        told: Called with each program, when the store has got it.

    Example:
        >>> import tempfile, jax.numpy as jnp
        >>> power = jax.jit(lambda x, n: x**n, static_argnames="n")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cube = Program(power, (jnp.array(3.0),), {"n": 3})
        ...     first, again = [ProgramStore(Path(folder)).run(cube) for _ in range(2)]
        >>> float(first), float(again)
        (27.0, 27.0)
    """

    def __init__(
        self, folder: Path, told: Callable[[ProgramUse], None] | None = None
    ) -> None:
        self._folder = folder
        self._told = told
        self._private = check_private(folder)
        self._loaded: dict[Any, Loaded] = {}
        self._preloading: dict[Path, Future[Loaded]] = {}
        self._note: Path | None = None

    def preload(self, purpose: str) -> None:
        """Begin to load the program that ran first on this purpose, in a thread.

        What fits is first; small programs that look at its results are not waited for.

        Args:
            purpose: any text that tells the purposes of programs apart.
        """
        if not self._private:
            return
        self._note = self._folder / f"{_digest(purpose)}.last"
        try:
            path = self._folder / self._note.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        thread = ThreadPoolExecutor(1)
        self._preloading[path] = thread.submit(_load, path)
        thread.shutdown(wait=False)

    def run(self, program: Program) -> Any:
        """Call a program: a loaded one, one from the folder, or a new one.

        One that is called inside ``jit``, ``vmap`` or ``grad`` is a part of that one.
        """
        if not on_cpu() or _jax_keeps_programs():
            return program()
        leaves, tree = jax.tree.flatten(program.arguments)
        traced = any(isinstance(leaf, Tracer) for leaf in leaves)
        if traced or not self._private:
            return program()
        shapes = tuple((np.shape(leaf), str(jnp.result_type(leaf))) for leaf in leaves)
        static = tuple(sorted(program.static.items()))
        key = (program.function, tree, shapes, static)
        if key not in self._loaded:
            depends = (_name(program.function), tree, shapes, static, dependencies())
            path = self._folder / f"{_digest(str(depends))}.program"
            self._loaded[key] = self._gotten(path, program)
            self._note = None
        loaded = self._loaded[key]
        return jax.tree.unflatten(loaded.result, loaded.leaves(*leaves))

    def _gotten(self, path: Path, program: Program) -> Loaded:
        """Load a program, or compile it, and tell of it."""
        begin = time.perf_counter()
        found, kept = self._stored(path), Kept.BEFORE
        if found is None:
            found, kept = self._compiled(path, program)
        if self._told is not None:
            seconds = time.perf_counter() - begin
            self._told(ProgramUse(_name(program.function), kept, seconds))
        return found

    def _stored(self, path: Path) -> Loaded | None:
        """Load a program from its file; None if there is none that can be used."""
        preloading = self._preloading.get(path)
        try:
            found = preloading.result() if preloading else _load(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception as error:  # whatever a damaged file makes of itself
            message = f"compiled anew, as {path} cannot be used: {error!r}"
            warnings.warn(message, stacklevel=2)
            return None
        if found.lapack:
            _load_lapack()
        if preloading is None:
            with contextlib.suppress(OSError):  # a note saves time, nothing else
                self._write_note(path)
        return found

    def _compiled(self, path: Path, program: Program) -> tuple[Loaded, Kept]:
        """Compile a program and keep it, if its folder takes it."""
        compiled, loaded = _compile(program)
        try:
            _write(path, _proven(compiled, loaded, program))
            self._write_note(path)
        except (OSError, jax.errors.JaxRuntimeError) as error:
            message = f"a compiled program is not kept: {error}"
            warnings.warn(message, stacklevel=2)
            return loaded, Kept.NOT
        return loaded, Kept.NOW

    def _write_note(self, path: Path) -> None:
        """Note what ran first on this purpose, for the next time."""
        if self._note is not None:
            _write(self._note, path.name.encode())


def check_private(folder: Path) -> bool:
    """Whether a folder is its user's alone, or can be made so; warns if it is not.

    Args:
        folder: where files are to be kept that run as code; it need not be there.

    Example:
        >>> check_private(Path("a folder that is not there"))
        True
    """
    try:
        found = folder.stat()
    except OSError:  # whoever writes to it is told what is wrong
        return True
    if not hasattr(os, "getuid"):  # Windows gives folders of users to them alone
        return True
    if found.st_uid != os.getuid():
        fault = "another user owns it"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        fault = "other users may write to it (`chmod 700` ends that)"
    else:
        return True
    message = f"no compiled programs are kept in {folder}: {fault}"
    warnings.warn(message, stacklevel=3)
    return False


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _jax_keeps_programs() -> bool:
    known = jax.config.values
    on, folder = "jax_enable_compilation_cache", "jax_compilation_cache_dir"
    return bool(known[on] and known[folder])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def dependencies() -> str:
    """What compiled code depends on beside its own program."""
    settings = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith(_FLAGS))
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return "\n".join([python, *versions, *settings, _processor(), _source()])


_FLAGS = ("JAX_", "XLA_")


def _processor() -> str:
    """The processor, with the instructions it knows where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
    known = ("model name", "flags", "Features", "CPU part")
    return "\n".join(dict.fromkeys(x for x in lines if x.startswith(known)))


@functools.cache
def _source() -> str:
    """Digest of hfjax's own code, wherever it is installed."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _compile(program: Program) -> tuple[Compiled, Loaded]:
    """Compile a program for flat arguments and results, which can be kept."""
    leaves, tree = jax.tree.flatten(program.arguments)
    result = []

    def flat(*leaves: Any) -> list[Any]:
        arguments = jax.tree.unflatten(tree, leaves)
        found, structure = jax.tree.flatten(
            program.function(*arguments, **program.static)
        )
        result.append(structure)
        return found

    options = cpu_options(large=is_large(leaves))
    compiled = jax.jit(flat).lower(*leaves).compile(options)
    text = compiled.as_text()
    lapack = text is None or "lapack_" in text or "blas_" in text
    return compiled, Loaded(compiled, result[0], lapack)


def _proven(compiled: Compiled, loaded: Loaded, program: Program) -> bytes:
    """Turn an executable into bytes that have been read back and have run.

    Raises:
        JaxRuntimeError: They did not run, as those of one that JAX itself had read.
    """
    skeleton = jax.tree.unflatten(loaded.result, range(loaded.result.num_leaves))
    serialized = serialize_executable.serialize(compiled)
    content = pickle.dumps((serialized, skeleton, loaded.lapack))
    leaves = jax.tree.leaves(program.arguments)
    jax.block_until_ready(_unpacked(content).leaves(*leaves))
    return content


def _write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, in a folder for its user alone."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(_UNFINISHED, dir=folder)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(unfinished, path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    for suffix in (path.suffix, _UNFINISHED):  # of programs that were ended
        _evict(folder, suffix)


def _evict(folder: Path, suffix: str) -> None:
    """Remove the least recently used files, of which there may be too many."""
    used = {}
    for path in folder.glob(f"*{suffix}"):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            used[path] = path.stat().st_mtime
    for path in sorted(used, key=lambda found: used[found])[:-MOST_FILES]:
        path.unlink(missing_ok=True)


def _load(path: Path) -> Loaded:
    """Read an executable.

    Raises:
        FileNotFoundError: There is none.
    """
    content = path.read_bytes()
    with contextlib.suppress(OSError):  # another user's file
        os.utime(path)
    return _unpacked(content)


def _unpacked(content: bytes) -> Loaded:
    serialized, skeleton, lapack = pickle.loads(content)
    executable = serialize_executable.deserialize_and_load(*serialized)
    return Loaded(executable, jax.tree.structure(skeleton), lapack)


def _load_lapack() -> None:
    """Make JAX load LAPACK for executables that call it, as it does when it lowers."""
    square = jax.ShapeDtypeStruct((1, 1), float)
    jax.jit(jnp.linalg.cholesky).lower(square)

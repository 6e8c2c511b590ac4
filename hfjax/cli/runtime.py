"""JAX as the command line sets it up, and what a result says about it."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hfjax
from hfjax.compiled.devices import on_cpu
from hfjax.fitting.diagnose.advice import Advice

NOT_CONVERGED = 3
"""Exit code of a command whose fits did not all converge."""
ADVICE = Advice(steps="--max-steps N", start="--start NAME=VALUE")
"""What can be done on the command line about a fit that failed."""
_USUAL: Mapping[str, Any] = {}
INTERRUPTED = 130
"""Exit code of a command that was interrupted, such as by Ctrl-C."""


def start_jax(
    purpose: str,
    cache: bool,
    chosen: Mapping[str, Any] = _USUAL,
    told: Callable[[Any], None] | None = None,
) -> Any:
    """Load JAX in float64, and keep compiled programs if a cache is wanted.

    On a CPU whole programs are kept, on accelerators JAX's persistent cache. Where no
    folder can be made, programs are compiled anew each time.

    Args:
        purpose: what is done with what; programs are loaded while it is prepared.
        cache: whether to keep programs.
        chosen: settings of all fits, other than the usual ones.
        told: called with each program that is kept whole, as `ProgramStore` does.

    Returns:
        The `FitSettings` of all fits.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    if on_cpu():
        jax.config.update("jax_enable_compilation_cache", False)
        return _settings(purpose, cache, chosen, told)
    folder = jax_folder() if cache else None
    jax.config.update("jax_enable_compilation_cache", folder is not None)
    if folder is not None:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        jax.config.update("jax_compilation_cache_dir", str(folder))
    return hfjax.FitSettings(**chosen)


def _settings(
    purpose: str,
    cache: bool,
    chosen: Mapping[str, Any],
    told: Callable[[Any], None] | None,
) -> Any:
    """The settings of fits on a CPU, with a store of programs if one is wanted."""
    folder = program_folder() if cache else None
    if folder is None:
        return hfjax.FitSettings(**chosen)
    store = hfjax.ProgramStore(folder, told)
    store.preload(f"{purpose} {sorted(chosen.items())}")
    return hfjax.FitSettings(**chosen, run=store.run)


def program_folder() -> Path | None:
    """Where compiled programs are kept; None where no folder can be made.

    It is hfjax's own, and its user's alone: what is in it runs as code. The store
    refuses one that others own or may write to.
    """
    folder = cache_folder() / "programs"
    return folder if _made(folder) else None


def jax_folder() -> Path | None:
    """Where JAX keeps compiled programs for accelerators; None if it cannot be made.

    A folder that the user has given to JAX is used.
    """
    given = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    folder = Path(given) if given else cache_folder() / "jax"
    return folder if _made(folder) and os.access(folder, os.W_OK) else None


def cache_folder() -> Path:
    """The user's folder for what hfjax can make again: compiled programs."""
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "hfjax"


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def command_line() -> str:
    """The command line, for the provenance of a result."""
    return shlex.join(["hfjax", *sys.argv[1:]])


class Stages:
    """Wall-clock time of one stage after the other.

    Example:
        >>> stages = Stages()
        >>> stages.end("load")
        >>> sorted(stages.seconds({"fit": 0.5}))
        ['fit', 'load', 'total']
    """

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def end(self, stage: str) -> None:
        """End a stage and begin the next."""
        now = time.perf_counter()
        self._seconds[stage] = now - self._last
        self._last = now

    def seconds(self, measured: Mapping[str, Any] | None = None) -> dict[str, float]:
        """All stages, those measured elsewhere, and the time since the start."""
        total = time.perf_counter() - self._start
        return {**self._seconds, **(measured or {}), "total": total}

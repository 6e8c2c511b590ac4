"""Settings and fixtures of all tests: float64, and where the data are."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jax
import pytest

QUICK = "--xla_llvm_disable_expensive_passes=true"
"""The tests compile many small programs: without LLVM's expensive passes, where XLA
knows that option, in three quarters of the time."""

jax.config.update("jax_enable_x64", True)
# The same cases in each run, however slow the machine is;
# `--hypothesis-profile=default` looks for new ones.
hypothesis.settings.register_profile(
    "same cases",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("same cases")

collect_ignore_glob = ["reference/*_with_pyhf.py", "reference/hs3_readers.py"]
"""Scripts that ran where those packages are, and wrote the numbers beside them."""


def pytest_configure(config: pytest.Config) -> None:
    """Compile quickly, and keep what is compiled for all processes of a run."""
    if hasattr(config, "workerinput"):
        return
    if "XLA_FLAGS" not in os.environ and _is_known(QUICK):
        os.environ["XLA_FLAGS"] = QUICK
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="hfjax-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        _set("compilation_cache_dir", folder)
        _set("persistent_cache_min_compile_time_secs", 0)


def _set(name: str, value: str | int) -> None:
    """Set an option of JAX, here and in processes to come."""
    os.environ[f"JAX_{name.upper()}"] = str(value)
    jax.config.update(f"jax_{name}", value)


def _is_known(flag: str) -> bool:
    """Whether XLA knows an option: it ends the process otherwise."""
    command = [sys.executable, "-c", "import jax; jax.numpy.zeros(1)"]
    known = os.environ | {"XLA_FLAGS": flag}
    return subprocess.run(command, env=known, capture_output=True).returncode == 0


MANY_MAPS = 20_000

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module", autouse=True)
def room_for_programs() -> Iterator[None]:
    """Forget compiled programs before they are in more pieces than Linux takes.

    A process has at most 65,530 maps of memory, and a program some hundreds.
    """
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and len(maps.read_bytes().splitlines()) > MANY_MAPS:
        jax.clear_caches()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of published likelihoods: $HFJAX_DATA, or ../shared/data."""
    beside = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("HFJAX_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data: {folder} is no folder; set HFJAX_DATA to the data")
    return folder


@pytest.fixture(scope="session")
def reference_dir(data_dir: Path) -> Path:
    """The folder of reference results, beside the data."""
    folder = data_dir.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference results: {folder} is no folder")
    return folder


@pytest.fixture(scope="session")
def cases_dir(data_dir: Path) -> Path:
    """The folder of small inputs with known results, beside the data."""
    folder = data_dir.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"no small inputs: {folder} is no folder")
    return folder

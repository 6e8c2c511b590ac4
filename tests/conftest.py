"""Settings and fixtures of all tests: float64, and where the data are."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jax
import pytest

jax.config.update("jax_enable_x64", True)
# The same cases in each run; `--hypothesis-profile=default` looks for new ones.
hypothesis.settings.register_profile("same cases", derandomize=True)
hypothesis.settings.load_profile("same cases")

collect_ignore_glob = ["reference/*_with_pyhf.py", "reference/hs3_readers.py"]
"""Scripts that ran where those packages are, and wrote the numbers beside them."""

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

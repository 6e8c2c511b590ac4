"""Settings and fixtures of all tests: float64, and where the data are."""

import os
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)

collect_ignore_glob = ["reference/*_with_pyhf.py", "reference/hs3_readers.py"]
"""Scripts that ran where those packages are, and wrote the numbers beside them."""

REPOSITORY = Path(__file__).parent.parent


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

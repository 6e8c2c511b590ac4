"""What tests of several rooms claim in the same words."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest


@contextlib.contextmanager
def no_compilation(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is compiled inside; what is called there must have been called before."""
    caplog.clear()
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        yield
    messages = [record.getMessage() for record in caplog.records]
    assert [text for text in messages if "Compiling" in text] == []


def assert_close(found: Any, known: Any, rtol: float, atol: float = 0.0) -> None:
    """Both agree within a relative tolerance, and none is NaN."""
    np.testing.assert_allclose(
        np.asarray(found), np.asarray(known), rtol, atol, equal_nan=False
    )

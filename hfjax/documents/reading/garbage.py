"""No search for garbage while many objects are made that live on."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collections() -> Iterator[None]:
    """Let no garbage be looked for: documents have no cycles, and millions of parts.

    Looking for it takes as long as reading a document and making a model of it do.

    Example:
        >>> with no_collections():
        ...     gc.isenabled()
        False
        >>> gc.isenabled()
        True
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

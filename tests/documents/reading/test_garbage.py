"""No search for garbage while documents are read and models built."""

import gc

import pytest

from hfjax.documents.reading.garbage import no_collections


@no_collections()
def fails():
    assert not gc.isenabled()
    message = "wrong"
    raise ValueError(message)


def test_garbage_is_looked_for_again_after_an_error():
    with pytest.raises(ValueError, match="wrong"):
        fails()
    assert gc.isenabled()


def test_who_looks_for_none_still_looks_for_none_afterwards():
    gc.disable()
    try:
        with no_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

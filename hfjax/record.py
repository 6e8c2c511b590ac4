"""Results as records: JSON values, files, and where their numbers come from."""

import abc
import enum
import os
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from hfjax.arrays import Array, Number
from hfjax.errors import ArgumentError
from hfjax.json_text import finite_or_none, write_document
from hfjax.provenance import this_run


class Status(enum.IntEnum):
    """How something ended, as a number in arrays and as a word for people."""

    def __str__(self) -> str:
        """Its name, in small letters: as result files have it."""
        return self.name.lower()

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Record(eqx.Module):
    """A result that can be written to a file."""

    @abc.abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, None for numbers that are not finite.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """

    def dump(self) -> dict[str, Any]:
        """The same, with versions and device under the key "hfjax"."""
        return {"hfjax": this_run().dump(), **self.to_dict()}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `dump` to a file of JSON.

        Raises:
            ArgumentError: the result is a batch, or inside ``jit`` or ``vmap``.
        """
        write_document(self.dump(), path)


def json_numbers(value: Number) -> Any:
    """An array as nested lists of numbers, one as a number; None for what is none.

    Example:
        >>> json_numbers(np.array([1.0, np.nan])), json_numbers(np.array(2.0))
        ([1.0, None], 2.0)
    """
    if np.ndim(value):
        return [json_numbers(part) for part in np.asarray(value)]
    return finite_or_none(value)


def is_single(result: Any) -> bool:
    """Whether a result is one of known numbers, not of a batch or inside ``jit``."""
    leaves = jax.tree.leaves(result)
    known = all(isinstance(x, Array) and not isinstance(x, Tracer) for x in leaves)
    return known and np.ndim(result.code) == 0


def refuse_batch(result: Any) -> None:
    """Refuse to turn a batch, or what is traced, into one record.

    Raises:
        ArgumentError: says what to do.
    """
    if not is_single(result):
        message = (
            f"a {type(result).__name__} of a batch, or inside jit or vmap, is no "
            "single record: take one of a batch by jax.tree.map(lambda x: x[i], result)"
        )
        raise ArgumentError(message)

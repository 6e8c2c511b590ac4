"""Toys in files: written whole or not at all, read back, and put together."""

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hfjax.errors import DataError, SpecificationError, check_kind
from hfjax.fitting.status import FitStatus
from hfjax.inference.toys_result import ToysResult

ARRAYS = {
    "numbers": ("i", 1),
    "q": ("f", 2),
    "codes": ("i", 2),
    "retried": ("b", 2),
    "q_obs": ("f", 0),
    "mu_hat": ("f", 0),
    "poi_value": ("f", 0),
    "code": ("i", 0),
    "question": ("U", 0),
}
"""Kinds and numbers of axes of the arrays in a file."""


def save_toys(result: ToysResult, path: str | os.PathLike[str]) -> None:
    """Write all statistics of toys to a file of NumPy's format `.npz`.

    Another process sees the old file or the new one, never a part. Equal results are
    equal files, bit by bit.

    Args:
        result: of `hfjax.toys`.
        path: of the file, which is replaced.

    Example:
        >>> import tempfile, hfjax
        >>> search = hfjax.uncorrelated_background([9.0], [50.0], [3.0], [52.0])
        >>> result = hfjax.toys(*hfjax.build(search), 1.0, 4, 0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_toys(result, Path(folder) / "toys.npz")
        ...     again = load_toys(Path(folder) / "toys.npz")
        >>> again.q.tolist() == result.q.tolist()
        True
    """
    check_kind("the result", result, ToysResult, "hfjax.toys makes it")
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    arrays: dict[str, Any] = {
        name: np.asarray(getattr(result, name)) for name in ARRAYS
    }
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def load_toys(path: str | os.PathLike[str]) -> ToysResult:
    """Read what `save_toys` has written.

    Args:
        path: of the file.

    Returns:
        The toys; their p-values are counted anew.

    Raises:
        SpecificationError: it cannot be read, or has no toys.

    Example:
        >>> load_toys("no file.npz")
        Traceback (most recent call last):
        hfjax.errors.SpecificationError: no file.npz: No such file or directory
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in ARRAYS}
    except OSError as error:
        message = f"{path}: {error.strerror or 'it has no toys'}"
        raise SpecificationError(message) from None
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        raise _no_toys(path) from None
    if not _is_sound(found):
        raise _no_toys(path)
    question = str(found.pop("question"))
    arrays = jax.tree.map(np.asarray, found)
    return ToysResult(**arrays, question=question)


def _no_toys(path: str | os.PathLike[str]) -> SpecificationError:
    message = f"{path}: it has no toys: give a file that `hfjax toys -o` has written"
    return SpecificationError(message)


def _is_sound(found: dict[str, np.ndarray]) -> bool:
    """Whether arrays are those of toys."""
    for name, (kind, axes) in ARRAYS.items():
        if found[name].dtype.kind != kind or found[name].ndim != axes:
            return False
    toys = found["numbers"].shape
    if any(found[name].shape != (2, *toys) for name in ("q", "codes", "retried")):
        return False
    codes = np.append(found["codes"], found["code"])
    if not np.isin(codes, [*FitStatus]).all() or np.any(np.diff(found["numbers"]) <= 0):
        return False
    try:
        return isinstance(json.loads(str(found["question"])), dict)
    except json.JSONDecodeError:
        return False


def merge_toys(results: Sequence[ToysResult]) -> ToysResult:
    """Put together toys that were drawn for one question, such as shards.

    What is returned is, bit by bit, what one call draws.

    Args:
        results: of `hfjax.toys`, in any order.

    Raises:
        DataError: there are none; one is of another model, other data, settings or
            another key; or two have the same toys.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([9.0], [50.0], [3.0], [52.0])
        >>> model, data = hfjax.build(search)
        >>> parts = [
        ...     hfjax.toys(model, data, 1.0, 6, 0, hfjax.ToySettings(shard=(i, 2)))
        ...     for i in (1, 2)
        ... ]
        >>> whole = hfjax.toys(model, data, 1.0, 6, 0)
        >>> merge_toys(parts).q.tolist() == whole.q.tolist()
        True
    """
    if not results:
        message = "there are no toys to merge: give some results"
        raise DataError(message)
    first = results[0]
    for other in results[1:]:
        check_same(first.settings, other.settings)
    numbers = np.concatenate([result.numbers for result in results])
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    twice = numbers[1:][np.diff(numbers) == 0]
    if twice.size:
        message = (
            f"{twice.size} toys are there twice, such as number {twice[0]}: merge each "
            "shard once"
        )
        raise DataError(message)

    def joined(name: str) -> np.ndarray:
        parts = [np.asarray(getattr(result, name)) for result in results]
        return np.concatenate(parts, axis=1)[:, order]

    own = {name: joined(name) for name in ("q", "codes", "retried")}
    kept = {name: getattr(first, name) for name in ("q_obs", "mu_hat", "poi_value")}
    return ToysResult(
        numbers=numbers, **own, **kept, code=first.code, question=first.question
    )


def check_same(one: dict[str, Any], other: dict[str, Any], where: str = "") -> None:
    """Refuse toys that were drawn for another question.

    Args:
        one: settings of a result.
        other: those of another.
        where: the file that the other is in.

    Raises:
        DataError: names what differs.
    """
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    if not names:
        return
    told = ", ".join(
        f"{name} {_short(one.get(name))} and {_short(other.get(name))}"
        for name in names
    )
    message = (
        f"{f'{where}: ' if where else ''}these toys do not belong together, as they "
        f"differ in {told}"
    )
    raise DataError(message)


def _short(value: Any) -> str:
    """A value in a message; of a digest, its beginning."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."

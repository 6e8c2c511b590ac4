"""Numbers of bins as people have them: lists, NumPy arrays, histograms.

Arrays and histograms are known by what they can do, so neither NumPy nor `hist` is
needed here. A histogram has `values()`, `variances()` and `axes`, as those of `hist`,
`boost_histogram` and `uproot` do.
"""

import math
from typing import Any

from hfjax.documents.reading.json_values import TOO_DEEP, Number, is_number
from hfjax.errors import SpecificationError


class Binned(tuple[Number, ...]):
    """Numbers, one a bin, that know the edges of their bins.

    They compare, hash and print as the tuple of the numbers.

    Attributes:
        edges: one number more than bins; empty where no histogram said.

    >>> counts = Binned((4.0, 7.0), edges=(0.0, 50.0, 200.0))
    >>> counts, counts.edges, counts == (4.0, 7.0)
    ((4.0, 7.0), (0.0, 50.0, 200.0), True)
    """

    edges: tuple[float, ...]

    def __new__(
        cls, numbers: tuple[Number, ...], edges: tuple[float, ...] = ()
    ) -> "Binned":
        """Make the tuple."""
        made = super().__new__(cls, numbers)
        made.edges = edges
        return made


def is_histogram(value: Any) -> bool:
    """Whether something is a histogram.

    >>> is_histogram([1.0, 2.0]), is_histogram({"SR": [1.0]})
    (False, False)
    """
    return all(hasattr(value, name) for name in ("values", "variances", "axes"))


def contents(value: Any, what: str) -> Binned:
    """Return the contents of bins as finite numbers.

    Args:
        value: a list, tuple, NumPy array, or histogram with one axis.
        what: what to call it in messages.

    Raises:
        SpecificationError: It is none of these, has no bins, or a number that is not
            finite.

    >>> contents([1, 2.5], "top")
    (1, 2.5)
    >>> contents([[1, 2], [3, 4]], "top")
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: top: [1, 2] in bin 0 is not a finite number
    """
    edges: tuple[float, ...] = ()
    if is_histogram(value):
        edges = _edges(value, what)
        value = value.values()
    found = plain(value)
    if not isinstance(found, list) or not found:
        message = f"{what}: give a list of numbers, one a bin, not {value!r:.80}"
        raise SpecificationError(message)
    for index, number in enumerate(found):
        if not is_number(number) or not math.isfinite(number):
            message = f"{what}: {number!r:.80} in bin {index} is not a finite number"
            raise SpecificationError(message)
    return Binned(tuple(found), edges)


def uncertainties(histogram: Any, what: str) -> Binned | None:
    """Return the roots of the variances of a histogram; None if it has none.

    Raises:
        SpecificationError: A variance is negative or not finite.
    """
    variances = histogram.variances()
    if variances is None:
        return None
    found = contents(variances, f"{what}, variances")
    least = min(found)
    if least < 0:
        message = f"{what}: the variance in bin {found.index(least)} is {least}"
        raise SpecificationError(message)
    return Binned(tuple(map(math.sqrt, found)), _edges(histogram, what))


def plain(value: Any) -> Any:
    """Return lists, numbers and texts for arrays and tuples, at any depth.

    Raises:
        SpecificationError: It is nested more deeply than Python's stack allows.

    >>> plain({"SR": (1, 2)})
    {'SR': [1, 2]}
    """
    try:
        return _plain(value)
    except RecursionError:
        raise SpecificationError(TOO_DEEP) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _edges(histogram: Any, what: str) -> tuple[float, ...]:
    if len(histogram.axes) != 1:
        message = (
            f"{what}: the histogram has {len(histogram.axes)} axes: project it on one, "
            "or make a channel of each slice"
        )
        raise SpecificationError(message)
    edges = getattr(histogram.axes[0], "edges", ())
    return tuple(plain(edges() if callable(edges) else edges))

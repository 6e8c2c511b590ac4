"""The relative uncertainty of a bin to which several samples contribute."""

from collections.abc import Sequence

from hfjax.documents.reading.json_values import Number


def relative_uncertainty(nominals: Sequence[Number], errors: Sequence[Number]) -> float:
    """Return the relative uncertainty of a sum; 0 where the sum is not positive.

    >>> relative_uncertainty((15, 5), (3, 4))
    0.25
    """
    total = sum(map(float, nominals))
    squares = sum(float(error) * float(error) for error in errors)
    return squares**0.5 / total if total > 0 else 0.0

"""Where parameters may be: between their bounds, and which of them may move."""

from typing import NamedTuple

from hfjax.arrays import Params, ParamsMask


class Box(NamedTuple):
    """Bounds of parameters.

    Attributes:
        lower: lower bound of each.
        upper: upper bound of each.
    """

    lower: Params
    upper: Params


class Domain(NamedTuple):
    """Where a fit may go.

    Attributes:
        bounds: of each parameter.
        fixed: which of them must not move.
    """

    bounds: Box
    fixed: ParamsMask

"""Models of one shape with two valleys in one parameter, and what is known of them.

`a` raises sample `b` on both sides of zero, and data want it raised: two valleys. What
it does to sample `t`, which stands on 100 events, says which is the lower, and whether
that is physical. The signal is in a channel of its own, so that nothing else depends on
it.
"""

import functools
import json

import numpy as np

from tests.reference.histfactory import HistFactory
from tests.workspaces import MU, Document, histosys, sample, workspace


def bent(hi: float, lo: float, observed: list, init: float = 1.0) -> Document:
    """Two valleys where many events are observed, one where few are."""
    signal = sample("s", [10.0], MU, histosys("a", [10.0], [10.0]))
    both = sample("b", [20.0, 100.0], histosys("a", [60.0, 100.0], [60.0, 100.0]))
    one = sample("t", [0.0, 10.0], histosys("a", [0.0, lo], [0.0, hi]))
    return workspace(
        {"CR": [sample("c", [50.0]), signal], "SR": [both, one]},
        {"CR": [55.0], "SR": observed},
        {"name": "a", "inits": [init]},
        {"name": "mu", "bounds": [[0.0, 5.0]]},
    )


LOWER = bent(12.0, 8.0, [60.0, 98.0])
"""Fits that start at a = 1 stay there, and a = -1 is lower; both are physical."""
PASSED = bent(30.0, -15.0, [60.0, 88.0])
"""At a = -1, which is lower, the sample `t` is negative."""
NOTHING = bent(100.0, -80.0, [22.0, 60.0], 0.0)
"""No valley but one in which the sample `t` is negative."""


@functools.cache
def known_valleys(text: str) -> list[tuple[float, float]]:
    """Local minima at mu = 0.5 by brute force: `a`, and -2 ln L."""
    slow = HistFactory(json.loads(text))
    grid = np.linspace(-3.0, 3.0, 1201)
    height = np.array([-2.0 * slow.logpdf([alpha, 0.5]) for alpha in grid])
    low = (height[1:-1] < height[:-2]) & (height[1:-1] < height[2:])
    return [(grid[i + 1], height[i + 1]) for i in np.flatnonzero(low)]


def valleys(model: Document) -> list[tuple[float, float]]:
    """The same of a document: the best fit of mu is 0.5 wherever `a` is."""
    return known_valleys(json.dumps(model))

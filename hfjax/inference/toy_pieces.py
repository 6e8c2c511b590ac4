"""Toys in many calls of one program, on all cores."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import TypeVar

import numpy as np
from jaxtyping import Int

from hfjax.compiled.calls import in_calls
from hfjax.compiled.lanes import one_by_one
from hfjax.inference.toy_lanes import most_toys

SECONDS = 0.3
"""What a call is to take, so that progress is seen..."""
FIRST = 4
"""...as the second, of so many toys, tells."""

Numbers = Int[np.ndarray, " toy"]
Part = TypeVar("Part")


def in_pieces(
    some: Callable[[Numbers], Part], numbers: Numbers, pool: Executor
) -> Iterator[Part]:
    """Do toys of many numbers, and yield some of them as they are done.

    The first two calls are alone: one compiles the program, and the other tells how
    long toys take.

    Args:
        some: does toys of some numbers.
        numbers: of all toys.
        pool: where it is called.
    """
    first, each = FIRST if one_by_one() else most_toys(), SECONDS
    for k in (0, first):
        if numbers.size <= k:
            return
        begin = time.monotonic()
        found = pool.submit(some, numbers[k : k + first]).result()
        each = (time.monotonic() - begin) / first
        yield found
    size = int(np.clip(SECONDS / each, 1, most_toys())) if one_by_one() else first
    yield from in_calls(some, numbers[2 * first :], size, pool)

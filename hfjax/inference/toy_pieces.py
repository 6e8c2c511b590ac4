"""Toys in many calls of one program, on all cores."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from typing import TypeVar

import numpy as np
from jaxtyping import Int

from hfjax.compiled.lanes import one_by_one
from hfjax.inference.toy_lanes import ACCELERATOR_TOYS, CPU_TOYS

SECONDS = 0.3
"""What a call is to take, so that progress is seen..."""
FIRST = 4
"""...as the first, of so many toys, tells."""

Numbers = Int[np.ndarray, " toy"]
Part = TypeVar("Part")


def in_pieces(
    some: Callable[[Numbers], Part], numbers: Numbers, pool: Executor
) -> Iterator[Part]:
    """Do toys of many numbers, and yield some of them as they are done.

    The first call is alone: it compiles the program, and tells how long toys take.

    Args:
        some: does toys of some numbers.
        numbers: of all toys.
        pool: where it is called.
    """
    first = FIRST if one_by_one() else ACCELERATOR_TOYS
    if not numbers.size:
        return
    begin = time.monotonic()
    yield pool.submit(some, numbers[:first]).result()
    each = (time.monotonic() - begin) / first
    size = int(np.clip(SECONDS / each, 1, CPU_TOYS)) if one_by_one() else first
    rest = numbers[first:]
    jobs = [pool.submit(some, rest[k : k + size]) for k in range(0, rest.size, size)]
    for job in as_completed(jobs):
        yield job.result()

"""Many calls of compiled programs side by side, which Ctrl-C ends at once."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

from hfjax.arrays import Array
from hfjax.compiled.lanes import workers

Result = TypeVar("Result")


@contextlib.contextmanager
def side_by_side() -> Iterator[Executor]:
    """Threads that call programs, one for each core that runs lanes.

    In the end none of them is waited for: Python hears of Ctrl-C where its own thread
    waits, but not where it is in compiled code.
    """
    pool = ThreadPoolExecutor(workers())
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def in_calls(
    function: Callable[..., Result],
    items: Sequence[Any] | Array,
    size: int,
    pool: Executor,
) -> Iterator[Result]:
    """Call a function of some items at a time, and yield results as they are done.

    Args:
        function: of some items.
        items: all of them.
        size: how many a call takes.
        pool: of `side_by_side`.

    Example:
        >>> with side_by_side() as pool:
        ...     sorted(in_calls(sum, [1, 2, 3, 4, 5], 2, pool))
        [3, 5, 7]
    """
    starts = range(0, len(items), size)
    jobs = [pool.submit(function, items[k : k + size]) for k in starts]
    for job in as_completed(jobs):
        yield job.result()

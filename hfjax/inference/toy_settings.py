"""How toys are drawn, fitted and shared out."""

import dataclasses
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Array
from hfjax.errors import ArgumentError, ParameterError, check_kind, unknown_name
from hfjax.fitting.checks import check_settings
from hfjax.fitting.status import FitSettings
from hfjax.inference.test_statistics import (
    TestStatistic,
    find_test_statistic,
    qmu_tilde,
)

AUXILIARY = ("drawn", "fixed")
"""What auxiliary data may be in toys."""
MOST_TOYS = 10**9
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class ToySettings:
    """How toys are drawn, fitted and shared out.

    Attributes:
        test_stat: of `hfjax.inference.test_statistics`, or its name, such as "qtilde".
        auxiliary: "drawn", from each constraint term, or "fixed", as observed.
        shard: which part of how many equal ones of the toys: (2, 4) is the second
            quarter; `hfjax.merge_toys` puts them together.
        until_error: statistical error of CLs (for q0 of p0) at which no more toys are
            drawn; else all are.
        keep: file in which toys are kept as they are done, and from which a call for
            the same toys goes on.
        progress: called with the number of toys done and of all.
        fits: minimizer, steps and tolerance of all fits.

    Raises:
        ArgumentError: one of these is of another kind.
        UnknownNameError: there is no such test statistic, or choice of auxiliary data.
        ParameterError: there is no such shard, or the error is not positive.

    Example:
        >>> ToySettings(shard=(3, 2))
        Traceback (most recent call last):
        hfjax.errors.ParameterError: shard 3 of 2: take one from 1 to 2
    """

    test_stat: TestStatistic | str = qmu_tilde
    auxiliary: str = "drawn"
    shard: tuple[int, int] = (1, 1)
    until_error: float | None = None
    keep: Path | None = None
    progress: Progress | None = dataclasses.field(default=None, compare=False)
    fits: FitSettings = FitSettings()

    def __post_init__(self) -> None:
        """Refuse what no toys can be drawn with."""
        check_settings(self.fits)
        find_test_statistic(self.test_stat)
        if self.auxiliary not in AUXILIARY:
            what = "choice of auxiliary data"
            error = unknown_name(what, str(self.auxiliary), AUXILIARY)
            raise error
        which, parts = self.shard
        if not 1 <= which <= parts:
            message = f"shard {which} of {parts}: take one from 1 to {max(parts, 1)}"
            raise ParameterError(message)
        if self.until_error is not None and not self.until_error > 0.0:
            message = f"until an error of {self.until_error:g}: it must be above zero"
            raise ParameterError(message)
        if self.until_error is not None and parts > 1:
            message = "until an error is small, toys of one shard cannot tell: draw all"
            raise ParameterError(message)

    @property
    def statistic(self) -> TestStatistic:
        """The test statistic itself."""
        return find_test_statistic(self.test_stat)

    def numbers(self, n: int) -> np.ndarray:
        """Numbers of the toys to draw, of so many.

        Example:
            >>> ToySettings(shard=(2, 3)).numbers(10).tolist()
            [3, 4, 5]
        """
        which, parts = self.shard
        return np.arange((which - 1) * n // parts, which * n // parts)


def check_toys(n: Any) -> int:
    """Refuse what is no number of toys.

    Raises:
        ArgumentError: it is no integer.
        ParameterError: it is not positive, or beyond all measure.
    """
    remedy = "give how many to draw of each hypothesis, such as 2000"
    check_kind("the number of toys", n, Integral, remedy, "int")
    if not 1 <= int(n) <= MOST_TOYS:
        message = f"{n} toys: draw 1 to {MOST_TOYS:,} of each hypothesis"
        raise ParameterError(message)
    return int(n)


def key_words(key: Any) -> np.ndarray:
    """The two words of a random key, or of the key of a seed.

    Args:
        key: a JAX random key of the usual kind, new style or old, or an integer.

    Raises:
        ArgumentError: it is something else.

    Example:
        >>> key_words(7).tolist(), key_words(jax.random.key(7)).tolist()
        ([0, 7], [0, 7])
    """
    if isinstance(key, Integral) and not isinstance(key, bool):
        if not 0 <= int(key) < 2**63:
            message = f"a seed of {key}: give an integer from 0 to 2^63 - 1"
            raise ArgumentError(message)
        return np.array([int(key) >> 32, int(key) & 0xFFFFFFFF], np.uint32)
    words = key
    if isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        words = jax.random.key_data(key)
    usual = isinstance(words, Array) and words.shape == (2,)
    if usual and words.dtype == np.uint32:
        return np.asarray(words)
    message = "the key of toys is none: give jax.random.key(0), or an integer as seed"
    raise ArgumentError(message)

"""Upper limits by toys: CLs of values around the asymptotic limits."""

import dataclasses
import json
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt32

from hfjax.errors import ParameterError, check_kind
from hfjax.inference.limit_result import LimitResult
from hfjax.inference.limits import checked_question, upper_limit
from hfjax.inference.toy_crossing import Crossing, Tested, crossing
from hfjax.inference.toy_limit_result import ToyCurve, ToyLimitResult
from hfjax.inference.toy_settings import Progress, ToySettings, check_toys, key_words
from hfjax.inference.toys import refuse_traced, toys
from hfjax.inference.toys_result import ToysResult
from hfjax.model.data import Data
from hfjax.model.model import Model

AROUND = 0.85, 1.2
"""Parts of the least and the largest asymptotic limit from which to which is tested."""
STEP = 1.2
"""A tested value over the one before, at most."""
MOST_MORE = 12
"""How often values further out are added, at most, where a limit is not between."""


def toy_limit(
    model: Model,
    data: Data,
    n: int,
    key: Any,
    settings: ToySettings = ToySettings(),
    *,
    level: float = 0.05,
) -> ToyLimitResult:
    """Find the upper limits on the parameter of interest with toys.

    ``CLs(mu) = level``, with CLs of `toys` at values around the asymptotic limits, and
    ``sqrt(-2 ln CLs)`` interpolated by a straight line between the two next to a limit.
    Values beyond are added until all six limits are between two of them. Each value has
    the toys that `toys` draws for it with the same key. The statistical error of a
    limit is that of CLs over its slope.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        n: toys to draw of each of the two hypotheses at each value.
        key: a JAX random key, or an integer for a seed; equal keys give equal results.
        settings: test statistic, "qtilde" or "q", auxiliary data, fits and more.
        level: of CLs, between 0 and 1.

    Returns:
        The observed limit and the expected ones, with their errors and a status for
        each, and CLs of all tested values. Without values where no asymptotic limit
        exists: the statuses are those of `upper_limit`.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: it cannot be zero, there are no toys, or the settings ask for a
            shard or a file of toys.
        ArgumentError: an argument is of another kind, or inside ``jit`` or ``vmap``; or
            the test statistic is none for upper limits.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        A. L. Read, J. Phys. G 28 (2002) 2693.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([9.0], [50.0], [3.0], [52.0])
        >>> found = hfjax.toy_limit(*hfjax.build(search), 200, key=0)
        >>> bool(abs(found.observed - 2.0) < 4.0 * found.observed_error)
        True
    """
    check_kind("settings", settings, ToySettings, "ToySettings(auxiliary='fixed')")
    refuse_traced(model, data)
    n, words = check_toys(n), key_words(key)
    _refuse_parts(settings)
    fits, statistic = settings.fits, settings.statistic
    checked_question(model, data, level, statistic, fits)
    guess = upper_limit(model, data, level=level, test_stat=statistic, settings=fits)
    run = _Run(model, data, n, words, settings)
    run.test(around(guess))
    for _ in range(MOST_MORE):
        more = run.beyond(level)
        if not more.size:
            break
        run.test(more)
    return run.result(guess, level)


def _refuse_parts(settings: ToySettings) -> None:
    """Refuse settings that are for the toys of one value.

    Raises:
        ParameterError: names the setting.
    """
    for name, given in (("shard", settings.shard != (1, 1)), ("keep", settings.keep)):
        if given:
            message = (
                f"a limit takes the toys of many values: {name} is for those of one, "
                "with hfjax.toys"
            )
            raise ParameterError(message)


def around(guess: LimitResult) -> Tested:
    """Values to test, from below the least asymptotic limit to above the largest.

    Args:
        guess: the asymptotic limits.
    """
    limits = np.append(guess.observed, guess.expected)
    found = limits[np.isfinite(limits) & (limits > 0.0)]
    if not found.size:
        return np.zeros(0)
    ends = AROUND[0] * found.min(), AROUND[1] * found.max()
    count = int(np.ceil(np.log(ends[1] / ends[0]) / np.log(STEP))) + 1
    return np.geomspace(*ends, count)


@dataclasses.dataclass
class _Run:
    """Toys of one value after the other.

    Attributes:
        model: a model.
        data: observed data.
        n: toys of each hypothesis.
        words: of the random key.
        settings: of the toys.
        found: tests by their values.
    """

    model: Model
    data: Data
    n: int
    words: UInt32[np.ndarray, " word"]
    settings: ToySettings
    found: dict[float, ToysResult] = dataclasses.field(default_factory=dict)

    def test(self, values: Tested) -> None:
        """Draw the toys of some values."""
        total = len(self.found) + values.size
        for value in values.tolist():
            settings = dataclasses.replace(self.settings, progress=self._told(total))
            model = self._wide(value)
            test = toys(model, self.data, value, self.n, self.words, settings)
            self.found[value] = test

    def _told(self, total: int) -> Progress | None:
        """Tell how many toys of all values are done."""
        tell, n, begin = self.settings.progress, self.n, len(self.found)
        return tell and (lambda done, _: tell(begin * n + done, total * n))

    def _wide(self, value: float) -> Model:
        """The model with the bound of the parameter moved to a value if need be."""
        upper, poi = np.array(self.model.parameters.upper), int(self.model.poi)
        if value <= upper[poi]:
            return self.model
        upper[poi] = value
        wide = jnp.asarray(upper)
        return eqx.tree_at(lambda m: m.parameters.upper, self.model, wide)

    @property
    def curve(self) -> ToyCurve:
        """CLs of all values, in rising order."""
        values = sorted(self.found)
        tests = [self.found[value] for value in values]
        lost = [sum(sum(x.values()) for x in test.failures.values()) for test in tests]
        bands = [
            np.reshape([getattr(test, name) for test in tests], (-1, 5))
            for name in ("CLs_exp", "CLs_exp_error")
        ]
        return ToyCurve(
            values=np.array(values),
            CLs_obs=np.array([test.CLs_obs for test in tests]),
            CLs_obs_error=np.array([test.CLs_error for test in tests]),
            CLs_exp=bands[0],
            CLs_exp_error=bands[1],
            codes=np.array([int(test.code) for test in tests], np.int32),
            lost=np.array(lost, np.int32),
        )

    def beyond(self, level: float) -> Tested:
        """Values further out, where a curve does not cross the level between them."""
        if not self.found:
            return np.zeros(0)
        curve = self.curve
        CLs, _ = curve.columns
        below = [curve.values[0] / STEP] if np.any(CLs[0] < level) else []
        above = [curve.values[-1] * STEP] if np.any(CLs[-1] >= level) else []
        return np.array([*below, *above])

    def result(self, guess: LimitResult, level: float) -> ToyLimitResult:
        """The limits on the curve; without one, why there is none."""
        curve, codes = self.curve, np.asarray(guess.codes)
        found = [Crossing(np.nan, np.nan, int(code)) for code in codes]
        if self.found:
            CLs, errors = curve.columns
            pairs = zip(CLs.T, errors.T, strict=True)
            values = np.asarray(curve.values)
            found = [crossing(values, *pair, level) for pair in pairs]
        limits, widths, codes = map(np.array, zip(*found, strict=True))
        first = next(iter(self.found.values()), None)
        asked = {} if first is None else first.settings
        return ToyLimitResult(
            observed=np.asarray(limits[0]),
            observed_error=np.asarray(widths[0]),
            expected=limits[1:],
            expected_error=widths[1:],
            level=np.asarray(level),
            codes=codes.astype(np.int32),
            mu_hat=np.asarray(guess.mu_hat),
            curve=curve,
            toys=self.n,
            question=json.dumps({k: v for k, v in asked.items() if k != "poi_value"}),
        )

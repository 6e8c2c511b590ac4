"""Goodness of fit: the deviance of a best fit from the model that fits all data."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.scipy.special import gammaincc

from hfjax.arrays import Scalar
from hfjax.compiled.program import Program, Run
from hfjax.errors import ArgumentError
from hfjax.fitting.best_fit import NOTHING, fit
from hfjax.fitting.checks import check_inputs, holding
from hfjax.fitting.covariance import covariance
from hfjax.fitting.diagnose.bins import bin_rates
from hfjax.fitting.objective import half_deviance
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.inference.goodness_result import GoodnessResult, GoodnessStatus
from hfjax.inference.goodness_toys import Deviances, toy_deviances
from hfjax.inference.toy_settings import check_toys, key_words
from hfjax.model.constraints import PoissonConstraints
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value


class Freedom(NamedTuple):
    """What could disagree, and what could follow.

    Attributes:
        bins: that have events, or expect some.
        auxiliary: auxiliary data of parameters that are not held.
        parameters: directions in which the fit could move.
        fewest: events expected in the bin that expects the fewest.
    """

    bins: int
    auxiliary: int
    parameters: int
    fewest: float

    @property
    def degrees(self) -> int:
        """Degrees of freedom."""
        return self.bins + self.auxiliary - self.parameters


def goodness_of_fit(
    model: Model,
    data: Data,
    *,
    fixed: Mapping[str, Value] = NOTHING,
    toys: int = 0,
    key: Any = 0,
    settings: FitSettings = FitSettings(),
) -> GoodnessResult:
    """Test how well a model describes data, against the saturated model.

    ``T = -2 ln(L(best fit) / L(saturated))``, where the saturated model expects what is
    observed in each bin and as each auxiliary datum, so that its constraint terms are
    at their own maxima. In the limit of many events ``T`` is distributed as chi2 with
    ``bins + auxiliary data - parameters`` degrees of freedom. A parameter with a
    constraint term brings its auxiliary datum along, and changes nothing. One that is
    held takes its constraint term out of ``T`` and of the counts. One that stands at a
    bound could not move, and does not count; of parameters that data cannot tell apart,
    the directions count in which they could be told. Bins without events that expect
    none do not count.

    With toys, ``p`` is the part of data sets, drawn at the best fit with their
    auxiliary data and fitted as the data are, whose ``T`` is not below that of the
    data: right with few events as well.

    Args:
        model: a model; a parameter of interest is not needed.
        data: observed data.
        fixed: values that all fits hold parameters at, by name, as in `fit`.
        toys: how many to draw; none by default.
        key: a JAX random key, or an integer for a seed. Equal keys give equal toys.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        The statistic and its p-values; look at its ``status``. Toys whose fits fail
        are counted in ``failures``, and have no part in p. There are no derivatives.

    Raises:
        DataError: the data have the wrong shape, or are no counts.
        UnknownNameError: there is no parameter to hold of this name.
        ParameterError: as `fit` says of values to hold; or the number of toys is none.
        ArgumentError: an argument is of another kind, or inside ``jit`` or ``vmap``.

    Source:
        S. Baker, R. D. Cousins, Nucl. Instrum. Meth. 221 (1984) 437; R. D. Cousins,
        Generalization of chisquare goodness-of-fit test for binned data using
        saturated models (2013).

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background(
        ...     [12.0, 11.0], [50.0, 52.0], [3.0, 7.0], [51, 75]
        ... )
        >>> found = goodness_of_fit(*hfjax.build(search))
        >>> int(found.degrees_of_freedom), round(float(found.p_value), 4)
        (1, 0.0964)
    """
    check_inputs(model, data, settings)
    if model.is_traced:
        message = "a goodness of fit is found outside of jit, vmap and grad"
        raise ArgumentError(message)
    words = key_words(key)
    count = check_toys(toys) if toys else 0
    model = holding(model, fixed)
    free = fit(model, data, settings=settings)
    counted = _freedom(model, data, free, settings)
    statistic = float(free.deviance) - held_deviance(model, data)
    status = _status(free, counted)
    drawn = Deviances(np.zeros(0), np.zeros(0, np.int32))
    if count and status < GoodnessStatus.FIT_FAILED:
        drawn = toy_deviances(model, data, free.params, words, count, settings)
    return GoodnessResult(
        statistic=np.asarray(statistic),
        degrees_of_freedom=np.asarray(counted.degrees),
        p_value=np.asarray(_p_value(statistic, counted.degrees, status, settings.run)),
        bins=np.asarray(counted.bins),
        auxiliary=np.asarray(counted.auxiliary),
        parameters=np.asarray(counted.parameters),
        fewest=np.asarray(counted.fewest),
        code=np.asarray(status, np.int32),
        free=free,
        toy_statistics=np.asarray(drawn.deviance) - held_deviance(model, data),
        toy_codes=drawn.code,
    )


def _status(free: FitResult, counted: Freedom) -> GoodnessStatus:
    if not free.converged:
        return GoodnessStatus.FIT_FAILED
    some = counted.degrees > 0
    return GoodnessStatus.KNOWN if some else GoodnessStatus.NO_FREEDOM


def _p_value(statistic: float, degrees: int, status: GoodnessStatus, run: Run) -> float:
    """Probability that chi2 is above a value; rounding may bring that below zero."""
    if status is not GoodnessStatus.KNOWN:
        return float("nan")
    halves = np.float64(0.5 * degrees), np.float64(max(0.5 * statistic, 0.0))
    return float(run(Program(chi2_tail, halves, {})))


@jax.jit
def chi2_tail(half_degrees: Scalar, half_statistic: Scalar) -> Scalar:
    """Probability that chi2 is above twice a value, of twice the degrees of freedom."""
    return gammaincc(half_degrees, half_statistic)


def _freedom(
    model: Model, data: Data, free: FitResult, settings: FitSettings
) -> Freedom:
    """Count what could disagree, and what could follow."""
    found = covariance(model, data, free, run=settings.run)
    moves = ~(np.asarray(found.fixed) | np.asarray(found.on_bound))
    rates = bin_rates(model, free.params, settings.run)
    counts = np.asarray(model.bin_present) & (
        (rates > 0.0) | (np.asarray(data.main) > 0)
    )
    fixed = np.asarray(model.parameters.fixed)
    auxiliary = sum(
        int(np.sum(np.asarray(terms.present) & ~fixed[np.asarray(terms.index)]))
        for terms in model.constraints
    )
    return Freedom(
        bins=int(counts.sum()),
        auxiliary=auxiliary,
        parameters=int(moves.sum()) - len(found.flat),
        fewest=float(rates[counts].min(initial=np.inf)),
    )


def held_deviance(model: Model, data: Data) -> float:
    """What the constraint terms of held parameters add to a deviance: a constant.

    Args:
        model: a model that holds them.
        data: with their auxiliary data.

    Example:
        >>> import hfjax
        >>> mu, jes = hfjax.normfactor("mu"), hfjax.normsys("JES", 0.9, 1.1)
        >>> region = hfjax.channel("SR", hfjax.sample("top", [50.0], mu, jes))
        >>> model, data = hfjax.build(hfjax.workspace([region], {"SR": [62]}))
        >>> held_deviance(model.with_fixed({"JES": 0.5}), data)
        0.25
    """
    known, aux = jax.tree.map(np.asarray, (model, data.aux))
    own, total = known.parameters, 0.0
    for terms in known.constraints:
        held = terms.present & own.fixed[terms.index]
        if not held.any():
            continue
        if isinstance(terms, PoissonConstraints):
            each = 2.0 * half_deviance(aux[terms.position], terms.expected(own.init))
        else:
            each = terms.pulls(own.init, aux) ** 2
        total += float(np.sum(np.asarray(each)[held]))
    return total

"""CLs of many tested values in one program: the curve that limits are read off."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, ScalarInt
from hfjax.compiled.canonical import filled, rung
from hfjax.compiled.lanes import map_lanes
from hfjax.compiled.program import Program
from hfjax.errors import ArgumentError
from hfjax.fitting.best_fit import NOTHING
from hfjax.fitting.checks import check_inputs, holding
from hfjax.fitting.implicit import constant
from hfjax.fitting.status import FitSettings
from hfjax.inference.limit_result import LimitCurve
from hfjax.inference.limits import limit_statistic
from hfjax.inference.repeated_tests import curves_of, repeated_test
from hfjax.inference.subject import Subject, subject_of
from hfjax.inference.test_statistics import TestStatistic, qmu_tilde
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value
from hfjax.model.poi import check_poi_value, require_free_poi
from hfjax.model.tracing import is_known


class Answers(NamedTuple):
    """Tests of values.

    Attributes:
        CLs: observed, and expected at -2 to +2 standard deviations.
        code: value of the worst `FitStatus` of the fits.
    """

    CLs: Float[Array, "*value curve"]
    code: Int[Array, "*value"]


def limit_curve(
    model: Model,
    data: Data,
    values: Sequence[float] | Array,
    *,
    test_stat: TestStatistic | str = qmu_tilde,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> LimitCurve:
    """Test many values, for the picture of an upper limit.

    ``CLs(mu)`` as `hypotest` has it, observed and expected, for all values in one
    compiled program: one by one on CPUs, in batches on accelerators. As in
    `upper_limit`, values may be beyond the upper bound of the parameter.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        values: to test, shape ``(value,)``; `LimitResult.grid` gives some.
        test_stat: for upper limits, "qtilde" or "q".
        fixed: values that all fits hold other parameters at, by name, as in `fit`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        CLs of each value; there are no derivatives.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: a value is below the lower bound of the parameter.
        ArgumentError: the values are no list of finite numbers, or the test statistic
            is none for upper limits.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727; CLs: A. L. Read,
        J. Phys. G 28 (2002) 2693.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [51, 48])
        >>> curve = hfjax.limit_curve(*hfjax.build(search), [0.0, 1.0, 2.0])
        >>> curve.CLs_obs.round(4).tolist()
        [1.0, 0.0525, 0.0002]
    """
    check_inputs(model, data, settings)
    model = holding(model, fixed)
    require_free_poi(model)
    statistic = limit_statistic(test_stat)
    known = _checked(model, values)
    dtype = model.parameters.init.dtype
    size = rung(known.size)
    lanes = filled(known.astype(dtype), (size,), 0.0)
    subject = subject_of(model, data, settings)
    arguments = (subject, lanes, np.int32(known.size))
    static = {"test_stat": statistic, "settings": settings}
    found = settings.run(Program(find_curve, arguments, static))
    CLs, code = (np.asarray(each)[: known.size] for each in found)
    return LimitCurve(known.astype(dtype), CLs[:, 0], CLs[:, 1:], code, subject.band)


def _checked(model: Model, values: Sequence[float] | Array) -> np.ndarray:
    """The values, which have to be finite numbers that the parameter may have.

    Raises:
        ArgumentError: they are none.
        ParameterError: one is below the lower bound, or zero, which all compare with.
    """
    if not is_known(values) or model.is_traced:
        message = "a curve is computed outside of jit and vmap: use hypotest inside"
        raise ArgumentError(message)
    known = np.asarray(values, float)
    if known.ndim != 1 or not known.size or not np.isfinite(known).all():
        message = f"the values are no list of finite numbers: {values!r}"
        raise ArgumentError(message)
    upper = float(np.asarray(model.parameters.upper)[model.poi])
    check_poi_value(model, 0.0, "limits compare with no signal")
    check_poi_value(model, min(float(known.min()), upper))
    return known


@functools.partial(jax.jit, static_argnames=("test_stat", "settings"))
def find_curve(
    subject: Subject,
    values: Float[Array, " value"],
    count: ScalarInt,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> Answers:
    """Test values of a model without names, in lanes; `limit_curve` after its checks.

    Args:
        subject: what is tested.
        values: to test.
        count: of the values that count.
        test_stat: for upper limits.
        settings: of all fits.
    """
    known, its_values = constant((subject, values))

    def one(i: ScalarInt) -> Answers:
        value = its_values[i]
        found = repeated_test(known, value, test_stat, settings, None)
        return Answers(curves_of(found), found.code)

    return map_lanes(one, jnp.arange(values.size), count)

"""Toys: distributions of a test statistic by drawing data and fitting them."""

import hashlib
import json
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt32

from hfjax.arrays import Number
from hfjax.errors import ArgumentError, check_kind
from hfjax.inference.hypotest import hypotest
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.toy_lanes import toy_lanes
from hfjax.inference.toy_run import ToyRun
from hfjax.inference.toy_settings import ToySettings, check_toys, key_words
from hfjax.inference.toys_result import ToysResult
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.tracing import is_known
from hfjax.version import __version__


def toys(
    model: Model,
    data: Data,
    poi_value: Number,
    n: int,
    key: Any,
    settings: ToySettings = ToySettings(),
) -> ToysResult:
    """Test a value of the parameter of interest with toys.

    ``CLsb`` and ``CLb`` are the parts of toys with the signal and without it whose test
    statistic is not below that of the data; ``CLs = CLsb / CLb``. Main and auxiliary
    data are drawn at the best fits to the observed data with the parameter of interest
    held at the tested value, and at 0 (for q0: 1), as in pyhf. A toy whose fits do not
    converge is fitted again with more steps and from elsewhere, and counted by its
    status if that fails.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        poi_value: value to test; q0 always tests zero.
        n: toys to draw of each of the two hypotheses.
        key: a JAX random key, or an integer for a seed. Equal keys give equal toys,
            bit by bit, on one kind of device, however they are shared out.
        settings: test statistic, auxiliary data, shard, fits and more.

    Returns:
        The statistics of all toys, and p-values with their statistical errors. Without
        toys if a fit to the observed data fails: its `status` says why.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: the tested value is outside its bounds, or the number of toys
            is none.
        ArgumentError: an argument is of another kind, or inside ``jit`` or ``vmap``.
        DataError: the data have the wrong shape, or are no counts; or the file to go on
            from has toys of something else.

    Source:
        CLs: A. L. Read, J. Phys. G 28 (2002) 2693; test statistics: Cowan, Cranmer,
        Gross, Vitells, arXiv:1007.1727.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([9.0], [50.0], [3.0], [52.0])
        >>> result = hfjax.toys(*hfjax.build(search), 1.0, 100, key=0)
        >>> round(result.CLs_obs, 2), round(result.CLs_error, 2)
        (0.23, 0.06)
    """
    check_kind("settings", settings, ToySettings, "ToySettings(auxiliary='fixed')")
    n, words = check_toys(n), key_words(key)
    refuse_traced(model, data, poi_value)
    statistic = settings.statistic
    test = hypotest(model, data, poi_value, test_stat=statistic, settings=settings.fits)
    question = _question(model, data, test, words, settings)
    lanes = toy_lanes(model, data, test, words, settings)
    return ToyRun(lanes, question, settings).run(settings.numbers(n))


def refuse_traced(model: Any, *others: Any) -> None:
    """Refuse to draw toys of what is not known yet.

    Args:
        model: the first argument.
        others: data, and what else is of known numbers.

    Raises:
        ArgumentError: something is traced.
    """
    traced = isinstance(model, Model) and model.is_traced
    if traced or not is_known(others):
        message = "toys are drawn outside of jit, vmap and grad"
        raise ArgumentError(message)


def _question(
    model: Model,
    data: Data,
    test: HypotestResult,
    words: UInt32[np.ndarray, " word"],
    settings: ToySettings,
) -> str:
    """What is computed, but for how many toys, as JSON text."""
    fits = settings.fits
    return json.dumps(
        {
            "auxiliary": settings.auxiliary,
            "key": [int(word) for word in words],
            "max_steps": fits.max_steps,
            "minimizer": fits.minimizer,
            "model": _digest(model, data),
            "poi": model.poi_name,
            "poi_value": float(test.poi_value),
            "test_stat": settings.statistic.spelling,
            "tolerance": fits.tolerance,
            "valleys": fits.valleys,
            "version": __version__,
        }
    )


def _digest(model: Model, data: Data) -> str:
    """Digest of all arrays and names of a model and its data."""
    names = (model.parameters.names, model.names.channel_bins)
    found = hashlib.sha256(str(names).encode())
    for leaf in jax.tree.leaves((model.anonymous(), data.anonymous())):
        array = np.asarray(leaf)
        found.update(f"{array.shape} {array.dtype}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return f"sha256:{found.hexdigest()}"

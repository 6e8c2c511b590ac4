"""Toys without any fit: statistics by chance, as asymptotic formulae have them."""

import json

import numpy as np

from hfjax.inference.toy_limit_result import ToyCurve, ToyLimitResult
from hfjax.inference.toys_result import ToysResult


def some_toys(
    test_stat: str = "qtilde", n: int = 400, q_obs: float = 3.5
) -> ToysResult:
    """Toys of both samples: chi2 for what is tested, shifted by two for the other."""
    rng, discovery = np.random.default_rng(7), test_stat == "q0"
    tested, other = rng.normal(size=n), rng.normal(2.0, 1.0, size=n)
    q = np.maximum(np.stack([tested, other]), 0.0) ** 2
    question = {"test_stat": test_stat, "poi": "mu", "poi_value": 1.0 - discovery}
    codes = np.zeros((2, n), np.int32)
    numbers = [np.asarray(x) for x in (q_obs, 0.4, 1.0 - discovery)]
    return ToysResult(
        *(np.arange(n), q, codes, codes > 0, *numbers),
        code=np.asarray(0, np.int32),
        question=json.dumps(question),
    )


def some_toy_limits(lost=0) -> ToyLimitResult:
    """Limits by toys without any toys."""
    values = np.linspace(0.4, 2.4, 6)
    sigmas = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    band = np.exp(-(values[:, None] ** 2) * (1.5 - 0.5 * sigmas))
    observed = np.exp(-1.8 * values**2)
    return ToyLimitResult(
        *(np.asarray(1.29), np.asarray(0.03), np.array([1.1, 1.2, 1.4, 1.7, 2.4])),
        *(np.full(5, 0.04), np.asarray(0.05), np.zeros(6, np.int32), np.asarray(0.1)),
        ToyCurve(
            *(values, observed, 0.1 * observed, band, 0.1 * band),
            *(np.zeros(6, np.int32), np.array([lost, 0, 0, 0, 0, 0], np.int32)),
        ),
        toys=500,
        question=json.dumps({"poi": "mu"}),
    )

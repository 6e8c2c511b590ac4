"""From the test of a signal point to its record."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.status import FitStatus
from hfjax.inference.test_result import HypotestResult
from hfjax.results.scan import ScanPoint


class PointNumbers(NamedTuple):
    """What is kept of the test of a point; see `HypotestResult`."""

    CLs_obs: Scalar
    CLs_exp: Float[Array, " band"]
    CLsb: Scalar
    CLb: Scalar
    q: Scalar
    q_asimov: Scalar
    mu_hat: Scalar
    status: ScalarInt
    edm: Scalar
    steps: ScalarInt
    lower_by: Scalar
    passed_over: ScalarBool
    worst: ScalarInt
    worst_params: Params


def scan_point(
    name: str,
    values: tuple[Any, ...],
    result: HypotestResult | PointNumbers,
    discovery: bool = False,
    message: str | None = None,
) -> ScanPoint:
    """Turn the test of one point into its record.

    Args:
        name: name of the patch.
        values: values of the labels.
        result: the test; a failed one leaves its reason and no numbers.
        discovery: whether the test statistic is q0; a `HypotestResult` knows itself.
        message: what a failed one leaves; its status in words by default.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [51, 48])
        >>> model, data = hfjax.build(search)
        >>> scan_point("a", (600,), hfjax.hypotest(model, data)).excluded(level=0.1)
        True
    """
    status = FitStatus(int(result.status))
    ok = status is FitStatus.CONVERGED
    return ScanPoint(
        name,
        tuple(values),
        CLs_obs=float(result.CLs_obs),
        CLs_exp=tuple(np.asarray(result.CLs_exp).tolist()),
        CLsb=float(result.CLsb),
        CLb=float(result.CLb),
        q=float(result.q),
        q_asimov=float(result.q_asimov),
        mu_hat=float(result.mu_hat),
        status=str(status),
        message="" if ok else message or status.sentence,
        edm=float(result.edm),
        steps=int(result.steps),
        lower_by=float(result.lower_by),
        passed_over=bool(result.passed_over),
        discovery=discovery or getattr(result, "discovery", False),
    )

"""An objective in scaled parameters, and a verdict on where a minimizer left it.

The minimizers of other packages know neither the widths of the parameters nor when a
likelihood is fitted well enough; both are settled here, alike for all of them.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp

from hfjax.arrays import Params, ParamsMask, Scalar, ScalarInt
from hfjax.fitting.box import Box
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.objective import Matrix, symmetric_matrix
from hfjax.fitting.status import FitSettings, FitStatus

Function = Callable[[Params], Scalar]

_REJECTED = 1e3  # how far above the start a value counts that is none
_FLAT = 1e-10  # curvature, in scaled parameters, that counts as none


class Scaled(eqx.Module):
    """The objective in scaled parameters z, zero at the start.

    Attributes:
        objective: of the parameters; where it is not finite, a step is rejected.
        start: where z = 0.
        unit: of each parameter.
        lower: bound of z; zero for fixed parameters, which cannot move.
        upper: bound of z.
        ceiling: value of rejected steps.
        box: bounds of the parameters themselves.
    """

    objective: Function
    start: Params
    unit: Params
    lower: Params
    upper: Params
    ceiling: Scalar
    box: Box

    def params(self, z: Params) -> Params:
        """The parameters at z."""
        return self.start + z * self.unit

    def value(self, z: Params) -> Scalar:
        """The objective at z, as it is."""
        return self.objective(self.params(z))

    def value_and_grad(self, z: Params) -> tuple[Scalar, Params]:
        """The objective and its gradient in z; where rejected, high and flat."""
        value, slope = jax.value_and_grad(self.value)(z)
        good = jnp.isfinite(value) & jnp.all(jnp.isfinite(slope))
        return jnp.where(good, value, self.ceiling), jnp.where(good, slope, 0.0)

    def clip(self, z: Params) -> Params:
        """The point of the box nearest to z."""
        return jnp.clip(z, self.lower, self.upper)

    def movable(self, z: Params, slope: Params) -> ParamsMask:
        """Parameters that are not held by a bound: those that downhill is inside."""
        held = ((z <= self.lower) & (slope >= 0.0)) | (
            (z >= self.upper) & (slope <= 0.0)
        )
        return ~held

    def downhill(self, z: Params, slope: Params) -> Params:
        """The gradient without the parameters that a bound holds."""
        return jnp.where(self.movable(z, slope), slope, 0.0)


def flatness(settings: FitSettings) -> float:
    """Largest slope in scaled parameters at which a minimizer may rest.

    Where the scaling is right, EDM is the slope squared; narrow valleys ask for less.

    >>> round(flatness(FitSettings(tolerance=1e-6)), 7)
    1e-05
    """
    return 1e-2 * settings.tolerance**0.5


def _second_derivatives(objective: Function, params: Params) -> Matrix:
    slope = jax.grad(objective)
    return symmetric_matrix(
        lambda along: jax.jvp(slope, (params,), (along,))[1], params
    )


def scale(objective: Function, start: Params, bounds: Box, fixed: ParamsMask) -> Scaled:
    """Put the objective into scaled parameters."""
    lower, upper = bounds
    start = jnp.where(fixed, start, jnp.clip(start, lower, upper))
    curvature = jnp.diagonal(_second_derivatives(objective, start))
    widest = jnp.maximum(100.0 / (upper - lower) ** 2, 1e-12)
    known = jnp.where(jnp.isfinite(curvature), curvature, 0.0)
    unit = jnp.where(fixed, 1.0, 1.0 / jnp.sqrt(jnp.maximum(known, widest)))
    return Scaled(
        objective=objective,
        start=start,
        unit=unit,
        lower=jnp.where(fixed, 0.0, (lower - start) / unit),
        upper=jnp.where(fixed, 0.0, (upper - start) / unit),
        ceiling=objective(start) + _REJECTED,
        box=Box(jnp.where(fixed, start, lower), jnp.where(fixed, start, upper)),
    )


def judge(
    scaled: Scaled, z: Params, steps: ScalarInt, settings: FitSettings
) -> Minimum:
    """Say how good a minimum is, from the exact derivatives there.

    EDM = g' H^-1 g over the parameters that no bound holds, the decrease of 2NLL that a
    Newton step promises. A Hessian that is not positive has no EDM. A minimizer that
    got lost is back at its start.
    """
    z = scaled.clip(z)
    start = jnp.zeros_like(z)
    lost = ~(scaled.value(z) <= scaled.value(start))
    z = jnp.where(lost, start, z)
    slope = scaled.downhill(z, scaled.value_and_grad(z)[1])
    edm = _distance(scaled, z, slope)
    rest = jnp.where(
        steps >= settings.max_steps, FitStatus.MAX_STEPS, FitStatus.STALLED
    )
    status = jnp.where(edm < settings.tolerance, FitStatus.CONVERGED, rest)
    finite = jnp.isfinite(scaled.ceiling)
    return Minimum(
        params=jnp.clip(scaled.params(z), *scaled.box),  # an ulp may stick out
        value=scaled.value(z),
        status=jnp.where(finite, status, FitStatus.NOT_FINITE).astype(jnp.int32),
        edm=edm,
        projected_gradient=jnp.max(jnp.abs(slope / scaled.unit), initial=0.0),
        steps=steps.astype(jnp.int32),
    )


def _distance(scaled: Scaled, z: Params, slope: Params) -> Scalar:
    """EDM, infinite where the Hessian of the movable parameters is not positive.

    A parameter without any effect has neither slope nor curvature; what is added to
    the diagonal keeps it from spoiling the rest.
    """
    one = jnp.eye(z.size, dtype=z.dtype)
    free = scaled.movable(z, slope)
    hessian = jnp.where(free[:, None] & free, _second_derivatives(scaled.value, z), one)
    factor = jnp.linalg.cholesky(hessian + _FLAT * one)
    half = jax.scipy.linalg.solve_triangular(factor, slope, lower=True)
    edm = jnp.sum(half**2)
    return jnp.where(jnp.isfinite(edm), edm, jnp.inf)

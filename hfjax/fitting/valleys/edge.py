"""Fits at the edge of where a likelihood exists, and starts beyond it.

Where the rate of a bin without events falls to zero, the likelihood ends although no
parameter has a bound. A fit that is stuck there is repeated with a few events in such
bins, then ever fewer, which keep their rates positive: the way of interior points.
Where a bin with events has no rate, a fit starts from elsewhere.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask, ScalarBool, ScalarInt
from hfjax.fitting.box import Box
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.objective import Objective
from hfjax.model.data import Data

LIFTS = 2
"""Starts that are tried where the first leads to no possible rates."""
FAR = 5.0
"""Furthest that they think of, in units of the parameter."""
SIDE = 0.3
"""Part of that way that they go."""
INSIDE = 0.1
"""Part of the way to the initial values from which the edge is approached once more."""
EDGE_EVENTS = 10.0 ** -np.arange(2, 12, 2)
"""Events that a bin without any is given at the edge, one after the other."""


def lifted_starts(
    start: Params, bounds: Box, fixed: ParamsMask
) -> Float[Array, "start par"]:
    """Starts on both sides, for a first one from where no step lifts a rate."""
    ends = [jnp.clip(bound, start - FAR, start + FAR) for bound in bounds]
    sides = [start + SIDE * (end - start) for end in ends]
    return jnp.where(fixed, start, jnp.stack(sides))


def with_events(objective: Objective, turn: ScalarInt) -> Objective:
    """Give bins without events a few, at a turn at the edge."""
    data = objective.data
    events = jnp.asarray(EDGE_EVENTS, data.main.dtype)[jnp.clip(turn, 0)]
    empty = (data.main == 0.0) & (turn >= 0)
    return Objective(
        objective.model, Data(jnp.where(empty, events, data.main), data.aux)
    )


def as_it_is(objective: Objective, at_edge: ScalarBool, end: Minimum) -> Minimum:
    """At the edge, the objective with the data as they are."""
    value = jax.lax.cond(
        at_edge, lambda: objective.value(end.params), lambda: end.value
    )
    return dataclasses.replace(end, value=value)

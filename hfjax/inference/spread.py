"""Expected events and their uncertainties, in bins and in whole channels.

With the covariance ``C = sum_k r_k r_k'`` of the parameters and the Jacobian ``J`` of
what is asked, ``diag(J C J') = sum_k (J r_k)^2``. Each ``J r_k`` is one derivative in
one direction, so that no Jacobian is ever formed, and sums of events have derivatives
of their own: nothing is added in quadrature.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector, rung
from hfjax.compiled.program import Program, Run
from hfjax.model.data import Data
from hfjax.model.model import Model

Directions = Float[Array, "direction par"]
"""Vectors of parameters ``r_k`` whose squares add up to a covariance."""
Members = Float[Array, "row sample"]
"""1 where a sample is part of what a row has."""


class Both(NamedTuple):
    """Something of each row, in the bins and in whole channels."""

    bins: Float[Array, "row bin"]
    channels: Float[Array, "row channel"]


class Spread(NamedTuple):
    """Expected events of each row, and their variances."""

    events: Both
    variances: Both


def spread(
    model: Model,
    params: Params,
    directions: Directions,
    members: Members,
    run: Run,
) -> Spread:
    """Find the expected events of rows of samples, with variances.

    Args:
        model: a single one, with names.
        params: parameter values.
        directions: of their covariance.
        members: samples of each row.
        run: calls the compiled program.
    """
    data = Data(np.zeros(model.bin_channel.size), np.zeros(_terms(model)))
    own, _ = canonical(model, data)
    padded = np.zeros((rung(len(members)), own.block.nominal.shape[0]))
    padded[: members.shape[0], : members.shape[1]] = members
    count = directions.shape[0]
    room = np.zeros((rung(max(count, 1)), params.size))
    room[:count] = directions
    arguments = (
        own,
        pad_vector(np.asarray(params), own, 0.0),
        pad_vector(room, own, 0.0) if room.size else room,
        padded,
        np.int32(count),
    )
    found = run(Program(_compiled, arguments, {}))
    bins, channels = model.bin_channel.size, len(model.names.channels)
    rows = members.shape[0]

    def own_part(both: Both) -> Both:
        cells, sums = np.asarray(both.bins), np.asarray(both.channels)
        return Both(cells[:rows, :bins], sums[:rows, :channels])

    return Spread(*map(own_part, found))


def _terms(model: Model) -> int:
    return sum(terms.index.size for terms in model.constraints)


@jax.jit
def _compiled(
    model: Model,
    params: Params,
    directions: Directions,
    members: Members,
    count: ScalarInt,
) -> Spread:
    """Events, and the sum of squared derivatives along the first directions."""

    def events(at: Params) -> Both:
        bins = members @ model.expected_rates(at)
        return Both(bins, model.lookup.by_channel(bins))

    found, moved = jax.linearize(events, params)

    def add(k: ScalarInt, total: Both) -> Both:
        return jax.tree.map(lambda a, b: a + b**2, total, moved(directions[k]))

    nothing = jax.tree.map(jnp.zeros_like, found)
    return Spread(found, jax.lax.fori_loop(0, count, add, nothing))

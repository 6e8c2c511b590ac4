"""Toy data: main and auxiliary data drawn at given parameters.

Each bin and each constraint term has a random key of its own, so that a toy is the same
whatever a model is padded to, and whatever runs beside it.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Key, PRNGKeyArray, UInt32

from hfjax.arrays import Array, Params, Rates, ScalarBool
from hfjax.model.constraints import PoissonConstraints, Terms
from hfjax.model.data import Data
from hfjax.model.model import Constraints, Model
from hfjax.model.poisson_draws import draw_poisson

MAIN = 0
"""Number that the key of main data is folded with; those of constraints follow."""


def key_of(words: UInt32[Array, " word"]) -> PRNGKeyArray:
    """The random key that all toys of a run share, from its words."""
    return jax.random.wrap_key_data(jnp.asarray(words), impl="threefry2x32")


def draw_toy(
    model: Model, data: Data, key: PRNGKeyArray, params: Params, auxiliary: ScalarBool
) -> Data:
    """Draw main data, and auxiliary data where they are wanted.

    Bins that are absent have no events. Auxiliary data of absent constraint terms, and
    of parameters that the measurement fixes, stay as they were observed: a test
    statistic does not depend on them.

    Args:
        model: a model of any size.
        data: observed data.
        key: of this toy.
        params: where they are drawn.
        auxiliary: whether auxiliary data are drawn, or stay as they were observed.
    """
    expected = model.expected_data(params)
    counts = _counts(jax.random.fold_in(key, MAIN), expected.main)
    main = jnp.where(model.bin_present, counts, 0.0)
    aux, fixed = jnp.asarray(data.aux), jnp.asarray(model.parameters.fixed)
    for kind, terms in enumerate(model.constraints):
        drawn = _drawn(terms, jax.random.fold_in(key, MAIN + 1 + kind), params)
        held = fixed.at[terms.index].get(mode="fill", fill_value=True)
        wanted = auxiliary & terms.present & ~held
        known = aux[terms.position]
        aux = aux.at[terms.position].set(jnp.where(wanted, drawn, known))
    return Data(main, aux)


def _keys(key: PRNGKeyArray, number: int) -> Key[jax.Array, " draw"]:
    return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(number))


def _counts(key: PRNGKeyArray, rates: Rates) -> Rates:
    return jax.vmap(draw_poisson)(_keys(key, rates.size), rates)


def _drawn(terms: Constraints, key: PRNGKeyArray, params: Params) -> Terms:
    """Auxiliary data of all terms of one kind."""
    if isinstance(terms, PoissonConstraints):
        return _counts(key, terms.expected(params))
    keys, width = _keys(key, terms.width.size), terms.width

    def draw(own: PRNGKeyArray) -> Array:
        return jax.random.normal(own, (), width.dtype)

    return terms.moved(params, jax.vmap(draw)(keys))

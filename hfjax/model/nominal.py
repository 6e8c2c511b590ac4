"""Parameters before any fit: what constraint terms say of them, and how surely."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params
from hfjax.model.constraints import Aux, GaussianConstraints, PoissonConstraints
from hfjax.model.data import Data
from hfjax.model.model import Constraints, Model

Values = Float[np.ndarray, " par"]


class Nominal(NamedTuple):
    """Parameters before any fit.

    Attributes:
        values: where the nominal auxiliary datum of a parameter is most probable; the
            initial value of what has no constraint term, or is fixed.
        widths: standard deviations, in units of the parameters; 0 of what has no
            constraint term, or is fixed.
    """

    values: Values
    widths: Values


def nominal_parameters(model: Model) -> Nominal:
    """Parameters before any fit: their nominal values, and their pre-fit uncertainties.

    ``a`` and ``sigma`` of a Gaussian term with its nominal datum ``a``; of a Poisson
    term ``a / tau`` and ``sqrt(a) / tau``, of a log-normal one ``beta`` and
    ``width beta``, less what turns a parameter into ``gamma`` or ``beta``. Where fits
    start does not matter.

    Args:
        model: a single one, as `hfjax.build` makes it.

    Raises:
        ModelError: it was not built from a workspace by itself.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([3.0], [50.0], [5.0], [62.0])
        >>> model, _ = hfjax.build(search)
        >>> found = nominal_parameters(model.with_start({"uncorr_bkguncrt": 1.5}))
        >>> found.values.tolist(), found.widths.tolist()
        ([1.0, 1.0], [0.0, 0.1])
    """
    nominal = model.with_nominal_auxiliary(Data(np.zeros(0), np.zeros(0))).aux
    known, aux = jax.tree.map(np.asarray, (model, nominal))
    own = known.parameters
    values, widths = np.array(own.init), np.zeros(own.init.shape)
    for terms in known.constraints:
        datum = aux[terms.position]
        moves = terms.present & ~own.fixed[terms.index]
        values[terms.index[moves]] = _most_probable(terms, datum)[moves]
        widths[terms.index[moves]] = terms.deviation(datum)[moves]
    return Nominal(values, widths)


def nominal_values(model: Model, aux: Aux) -> Params:
    """The values of `nominal_parameters`, within their bounds; also inside ``jit``.

    Args:
        model: of any size, without names.
        aux: nominal auxiliary data.
    """
    own = model.parameters
    values, fixed = jnp.asarray(own.init), jnp.asarray(own.fixed)
    for terms in model.constraints:
        index = jnp.asarray(terms.index)
        known = values.at[index].get(mode="fill", fill_value=0.0)
        held = fixed.at[index].get(mode="fill", fill_value=True)
        found = _most_probable(terms, jnp.asarray(aux)[terms.position])
        moved = jnp.where(terms.present & ~held, found, known)
        values = values.at[index].set(moved, mode="drop")
    return jnp.clip(values, own.lower, own.upper)


def _most_probable(terms: Constraints, datum: Array) -> Array:
    """The parameters at which the terms of one kind expect their data."""
    if isinstance(terms, GaussianConstraints):
        return datum
    unit = terms.factor if isinstance(terms, PoissonConstraints) else terms.scale
    return datum / unit - terms.shift

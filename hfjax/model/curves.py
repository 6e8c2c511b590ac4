"""How far systematics move the rates, in standard deviations of the counts.

Each nuisance parameter alone moves them along a curve; what is left of a change once
all other parameters follow is a product with a matrix of the bins.
"""

from typing import NamedTuple, TypeVar

import jax
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, SampleRates
from hfjax.model.interpolation import ADDITIVE_BASES
from hfjax.model.model import Model
from hfjax.model.modifiers import HistoSys, NormSys
from hfjax.model.sample_block import SampleBlock

SIDE = (0.2, 0.45, 0.8, 1.2, 1.7, 2.4, 3.2)
PLACES = np.array([*(-value for value in reversed(SIDE)), 0.0, *SIDE])
"""Values of a nuisance parameter at which the rates are looked at."""
MIDDLE = len(SIDE)
"""Position of zero among them."""
MOST_NUMBERS = 2_000_000
"""Numbers in a table of rates, at most."""

_LARGEST = 300.0  # exponent
_FAR = 1e3  # standard deviations
_NARROW = 1e-100  # width

Tree = TypeVar("Tree")
Curves = Float[np.ndarray, "parameter place bin"]


class Moving(NamedTuple):
    """Parameters of systematics that are not fixed, and how they move the rates.

    Attributes:
        index: their positions.
        curves: of each alone, at `PLACES`.
    """

    index: Int[np.ndarray, " parameter"]
    curves: Curves


def moving_parameters(model: Model) -> Moving:
    """Find the parameters that histosys and normsys use, and their curves."""
    block, own = model.block, model.parameters
    index = np.concatenate([block.histosys.index, block.normsys.index])
    index = np.unique(index).astype(np.int32)
    index = index[~own.fixed[index]]
    return Moving(index, root_curves(block, model.bin_channel, own.init, index))


def root_curves(
    block: SampleBlock,
    bin_channel: Array,
    init: Array,
    index: Int[np.ndarray, " parameter"],
) -> Curves:
    """Change of the rates with each parameter alone, in standard deviations.

    Differences of ``2 sqrt(nu)``, whose standard deviation is 1 whatever the rate. A
    few parameters at a time, since tables of all places and samples are large.
    """
    size = block.nominal.size * PLACES.size
    step = max(1, MOST_NUMBERS // max(size, 1))
    parts = [index[i : i + step] for i in range(0, max(index.size, 1), step)]
    curves = [_root_curves(block, bin_channel, init, part) for part in parts]
    return np.concatenate(curves)


def _root_curves(
    block: SampleBlock, bin_channel: Array, init: Array, index: np.ndarray
) -> Curves:
    factor = scaling_factor(block, init)
    shift = _shifts(block.histosys, index)
    normsys = _factors(block.normsys, index)[..., bin_channel]
    moved = normsys * (block.nominal + shift) - block.nominal
    rates = (factor * block.nominal).sum(axis=0)
    change = (factor * moved).sum(axis=2)
    roots = 2.0 * np.sqrt(np.clip(rates + change, 0.0, _FAR**4))
    return roots - roots[:, MIDDLE : MIDDLE + 1]


def scaling_factor(block: SampleBlock, init: Array) -> SampleRates:
    """Product of the parameters that scale each sample, at their initial values."""
    scaling = np.append(init, np.ones(block.scaling.index.max(initial=0) + 1))
    return np.prod(scaling[np.minimum(block.scaling.index, init.size)], axis=0)


def _rows(own: Array, index: np.ndarray) -> np.ndarray:
    """Row of each parameter in a list of positions; their number if it has none."""
    rows = np.full(max(own.max(initial=0), index.max(initial=0)) + 1, own.size)
    rows[own] = np.arange(own.size)
    return rows[index]


def _shifts(
    histosys: HistoSys, index: np.ndarray
) -> Float[np.ndarray, "parameter place sample bin"]:
    rows = _rows(histosys.index, index)
    odd, even = (
        np.concatenate([part, np.zeros((1, *part.shape[1:]))])[rows, None]
        for part in (histosys.odd, histosys.even)
    )
    basis = ADDITIVE_BASES[histosys.code](PLACES)
    return PLACES[:, None, None] * odd + basis[:, None, None] * even


def _factors(
    normsys: NormSys, index: np.ndarray
) -> Float[np.ndarray, "parameter place sample channel"]:
    rows, empty = _rows(normsys.index, index), normsys.log_hi.size
    nowhere = np.full((1, *normsys.table.shape[1:]), empty)
    table = np.concatenate([normsys.table, nowhere])[rows]
    each = variations(normsys, np.arange(empty), PLACES[None])
    values = np.concatenate([each, np.ones((1, PLACES.size))])
    return np.moveaxis(values[table], -1, 1)


def variations(
    normsys: NormSys,
    chosen: Int[np.ndarray, " variation"],
    alpha: Float[np.ndarray, "#variation place"],
) -> Float[np.ndarray, "variation place"]:
    """Factors of variations at values of their parameters.

    Args:
        normsys: modifiers, as NumPy arrays.
        chosen: positions of variations.
        alpha: values, the same for all variations or for each its own.
    """
    log_hi, log_lo = normsys.log_hi[chosen, None], normsys.log_lo[chosen, None]
    steep = np.where(alpha > 0.0, alpha * log_hi, -alpha * log_lo)
    powers = alpha ** np.arange(1, 7)[:, None, None]
    terms = np.nan_to_num(normsys.coefficients)[:, chosen, None] * powers
    inside = np.abs(alpha) < normsys.edge
    smooth = 1.0 + np.sum(terms, axis=0)
    return np.where(inside, smooth, np.exp(np.minimum(steep, _LARGEST)))


class Still(NamedTuple):
    """How the rates stand still while all parameters follow.

    Attributes:
        moved: change of the rates by a parameter, by as much as it is free to move.
        matrix: what is left of a change.
    """

    moved: Float[np.ndarray, "parameter bin"]
    matrix: Float[np.ndarray, "bin bin"]


def standing_still(
    model: Model, aux: np.ndarray, moving: Moving, held: int = -1
) -> Still:
    """Let all parameters follow but one, and those that are fixed.

    Args:
        model: a model of NumPy arrays.
        aux: nominal auxiliary data.
        moving: its systematics.
        held: position of a parameter that does not follow.
    """
    index, curves = moving
    slopes = np.zeros((model.parameters.init.size, model.bin_channel.size))
    scaled = _scaling_slopes(model)
    slopes[: scaled.shape[0]] += scaled
    slopes[index] += (curves[:, MIDDLE + 1] - curves[:, MIDDLE - 1]) / (2 * SIDE[0])
    stays = model.parameters.fixed | (np.arange(len(slopes)) == held)
    root = np.where(stays, 0.0, 1.0 / np.sqrt(_curvature(model, aux)))
    moved = slopes * root[:, None]
    return Still(moved, np.linalg.inv(np.eye(moved.shape[1]) + moved.T @ moved))


def products_left(
    vectors: Float[np.ndarray, "chosen vector bin"],
    still: Still,
    moved: Float[np.ndarray, "chosen bin"],
) -> Float[np.ndarray, "chosen vector vector"]:
    """Products of changes of the rates, all following but what makes these changes.

    Args:
        vectors: changes.
        still: how the rates stand still while all parameters follow.
        moved: change of the rates by what does not follow.
    """
    alone = moved @ still.matrix
    left = 1.0 - np.sum(alone * moved, axis=1)
    along = np.einsum("jkb,jb->jk", vectors, alone)
    along = along / np.sqrt(np.maximum(left, 1e-6))[:, None]
    whole = vectors @ still.matrix @ np.swapaxes(vectors, 1, 2)
    return whole + along[:, :, None] * along[:, None]


def padded_rows(own: Tree, number: int) -> Tree:
    """Pad the first axis of NumPy arrays with zeros.

    Args:
        own: a pytree of arrays.
        number: how many rows there are to be.
    """

    def pad(leaf: np.ndarray) -> np.ndarray:
        rows = np.zeros((number - len(leaf), *leaf.shape[1:]), leaf.dtype)
        return np.concatenate([leaf, rows])

    return jax.tree.map(pad, own)


def _scaling_slopes(model: Model) -> Float[np.ndarray, "parameter bin"]:
    """Derivative of the rates in the parameters that scale them, over their roots."""
    init, bins = model.parameters.init, np.arange(model.bin_channel.size)
    slopes = np.zeros((init.size + 1, bins.size))
    index = np.minimum(model.block.scaling.index, init.size)
    values = np.append(init, 1.0)[index]
    rates = np.prod(values, axis=0) * model.block.nominal
    each = rates / np.where(values == 0.0, 1.0, values)
    np.add.at(slopes, (index, np.broadcast_to(bins, index.shape)), each)
    return slopes[:-1] / np.sqrt(np.maximum(rates.sum(axis=0), 1.0))


def _curvature(model: Model, aux: np.ndarray) -> np.ndarray:
    """Second derivative of the constraint term of each parameter; tiny without one."""
    found = np.full(model.parameters.init.size, 1e-8)
    for terms in (model.gaussian, model.lognormal):
        width = np.maximum(terms.width, _NARROW)
        np.add.at(found, terms.index, width**-2.0)
    np.add.at(found, model.poisson.index, aux[model.poisson.position])
    return found

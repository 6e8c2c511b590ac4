"""How far systematics move the rates, in standard deviations of the counts.

Each nuisance parameter alone moves them along a curve; what is left of a change once
all other parameters follow is a product with a matrix of the bins.
"""

import dataclasses
from collections.abc import Callable, Iterator
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
MOST_KEPT = 8_000_000
"""Numbers in the curves of all parameters that are kept, at most."""

_LARGEST = 300.0  # exponent
_FAR = 1e3  # standard deviations
_NARROW = 1e-100  # width

Tree = TypeVar("Tree")
Curves = Float[np.ndarray, "parameter place bin"]


@dataclasses.dataclass(frozen=True)
class Moving:
    """Parameters of systematics that are not fixed, and how they move the rates.

    Attributes:
        model: the model, of NumPy arrays.
        aux: nominal auxiliary data.
        index: their positions.
        slope: change of the rates with each of them, at their nominal values.
        flat: their curves, `flattened`.
        known: their curves, where these are no large table.
    """

    model: Model
    aux: Float[np.ndarray, " aux"]
    index: Int[np.ndarray, " parameter"]
    slope: Float[np.ndarray, "parameter bin"]
    flat: Float[np.ndarray, "parameter place axis"]
    known: Curves | None = None
    _still: dict[int, "Still"] = dataclasses.field(default_factory=dict, init=False)

    def still(self, held: int = -1) -> "Still":
        """How the rates stand still; see `standing_still`. It is found once.

        Args:
            held: position of a parameter that does not follow.
        """
        if held not in self._still:
            self._still[held] = standing_still(self, held)
        return self._still[held]

    def curves(self, chosen: Int[np.ndarray, " chosen"]) -> Curves:
        """Curves of some of them, each alone, at `PLACES`."""
        if self.known is not None:
            return self.known[chosen]
        return root_curves(
            self.model.block,
            self.model.bin_channel,
            self.model.parameters.init,
            self.index[chosen],
        )

    def parts(
        self, chosen: Int[np.ndarray, " chosen"]
    ) -> list[Int[np.ndarray, " chosen"]]:
        """Split positions, so that the curves of a part are no large table."""
        size = max(1, MOST_NUMBERS // max(PLACES.size * self.model.bin_channel.size, 1))
        return [chosen[i : i + size] for i in range(0, max(len(chosen), 1), size)]

    def each(
        self,
        function: Callable[[Curves], tuple[np.ndarray, ...]],
        chosen: Int[np.ndarray, " chosen"],
    ) -> tuple[np.ndarray, ...]:
        """What a function has of the curves of parameters, some at a time."""
        found = [function(self.curves(part)) for part in self.parts(chosen)]
        return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def moving_parameters(model: Model, aux: np.ndarray) -> Moving:
    """Find the parameters that histosys and normsys use, and what they do to rates.

    Args:
        model: a model of NumPy arrays.
        aux: nominal auxiliary data.
    """
    block, own = model.block, model.parameters
    index = np.concatenate([block.histosys.index, block.normsys.index])
    index = np.unique(index).astype(np.int32)
    index = index[~own.fixed[index]]
    none = np.zeros((index.size, model.bin_channel.size))
    unknown = Moving(model, aux, index, none, none[:, None])
    kept = index.size * PLACES.size * model.bin_channel.size <= MOST_KEPT
    found = []
    for part in unknown.parts(np.arange(index.size)):
        curves = unknown.curves(part)
        own = (slopes(curves), flattened(curves))
        found.append((*own, curves) if kept else own)
    slope, flat, *known = map(np.concatenate, zip(*found, strict=True))
    return Moving(model, aux, index, slope, flat, *known)


def slopes(curves: Curves) -> Float[np.ndarray, "parameter bin"]:
    """How each curve rises at zero."""
    return (curves[:, MIDDLE + 1] - curves[:, MIDDLE - 1]) / (2 * SIDE[0])


def flattened(curves: Curves) -> Float[np.ndarray, "parameter place axis"]:
    """Curves with the same products in no more dimensions than places."""
    if curves.shape[2] <= curves.shape[1]:
        return curves
    return of_products(curves @ np.swapaxes(curves, 1, 2))


def of_products(
    products: Float[np.ndarray, "parameter place place"],
) -> Float[np.ndarray, "parameter place place"]:
    """Curves with these products."""
    values, vectors = np.linalg.eigh(products)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None]


def root_curves(
    block: SampleBlock,
    bin_channel: Array,
    init: Array,
    index: Int[np.ndarray, " parameter"],
) -> Curves:
    """Change of the rates with each parameter alone, in standard deviations.

    Differences of ``2 sqrt(nu)``, whose standard deviation is 1 whatever the rate. A
    rate changes by the shift of a histosys, and by the factor of a normsys less one
    times what it is with that shift. Only parameters of both need tables of all places
    and samples, which are large: a few at a time.
    """
    factor = scaling_factor(block, init)
    events = factor * block.nominal
    rows = _rows(block.histosys.index, index), _rows(block.normsys.index, index)
    shifts = np.flatnonzero(rows[0] < block.histosys.index.size)
    acts = np.flatnonzero(rows[1] < block.normsys.index.size)
    change = np.zeros((index.size, PLACES.size, events.shape[1]))
    for values, moved in _sides(block.histosys, rows[0][shifts], factor):
        change[shifts] += values * moved.sum(axis=1)[:, None]
    raised = _factors(block.normsys, rows[1][acts]) - 1.0
    change[acts] += _scaled_rates(raised, events, bin_channel)
    both = np.flatnonzero(np.isin(acts, shifts))
    step = max(1, MOST_NUMBERS // max(events.size * PLACES.size, 1))
    for part in (both[i : i + step] for i in range(0, both.size, step)):
        which, more = rows[0][acts[part]], raised[part][:, :, bin_channel]
        for values, moved in _sides(block.histosys, which, factor):
            change[acts[part]] += values * np.einsum("jsbp,jsb->jpb", more, moved)
    roots = 2.0 * np.sqrt(np.clip(events.sum(axis=0) + change, 0.0, _FAR**4))
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


def _sides(
    histosys: HistoSys, rows: Int[np.ndarray, " parameter"], factor: SampleRates
) -> Iterator[tuple[Array, Float[Array, "parameter sample bin"]]]:
    """Odd and even part of histosys: values at each place, and events they go with."""
    yield PLACES[:, None], factor * histosys.odd[rows]
    yield ADDITIVE_BASES[histosys.code](PLACES)[:, None], factor * histosys.even[rows]


def _factors(
    normsys: NormSys, rows: Int[np.ndarray, " parameter"]
) -> Float[np.ndarray, "parameter sample channel place"]:
    """Factors of normsys on each sample and channel."""
    table, empty = normsys.table[rows], normsys.log_hi.size
    which = np.unique(table[table < empty])
    each = variations(normsys, which, PLACES[None])
    values = np.concatenate([each, np.ones((1, PLACES.size))])
    position = np.searchsorted(which, table)
    return values[np.where(table < empty, position, which.size)]


def _scaled_rates(
    raised: Float[np.ndarray, "parameter sample channel place"],
    events: SampleRates,
    bin_channel: Array,
) -> Float[np.ndarray, "parameter place bin"]:
    """Sum over samples of factors times events, channel by channel."""
    found = np.zeros((raised.shape[0], raised.shape[3], events.shape[1]))
    for channel in range(raised.shape[2]):
        bins = bin_channel == channel
        found[..., bins] = np.tensordot(raised[:, :, channel], events[:, bins], (1, 0))
    return found


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


def standing_still(moving: Moving, held: int) -> Still:
    """Let all parameters follow but one, and those that are fixed.

    Args:
        moving: systematics of a model.
        held: position of a parameter that does not follow; -1 is none.
    """
    model = moving.model
    slope = _scaling_slopes(model)
    slope[moving.index] += moving.slope
    stays = model.parameters.fixed | (np.arange(len(slope)) == held)
    root = np.where(stays, 0.0, 1.0 / np.sqrt(_curvature(model, moving.aux)))
    moved = slope * root[:, None]
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
    flat = vectors.reshape(-1, vectors.shape[2]) @ still.matrix
    whole = flat.reshape(vectors.shape) @ np.swapaxes(vectors, 1, 2)
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

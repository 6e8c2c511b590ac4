"""Canonical sizes: models of about one size share one compiled program.

A program is compiled for the shapes of its arguments, which takes longer than fits do.
So arrays are padded to sizes from a coarse ladder before they are given to a program.
What is padded changes nothing: parameters are fixed, bins and constraint terms are
masked, samples expect no events, modifiers act on no cell.
"""

import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from jax.tree_util import keystr, tree_map_with_path

from hfjax.arrays import Array
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.sample_block import SampleBlock
from hfjax.model.tracing import is_known

Tree = TypeVar("Tree")

FEW = 8
"""Up to here, sizes of the ladder are even, or 1; further up, multiples of this."""
FINENESS = 4
"""Sizes of the ladder between a power of two and the next, at most."""
LEAST: Mapping[str, int] = {"samples": 1, "parameters": 8, "local_slots": 1}
"""The least sizes of the ladder..."""
LEAST_OF_OTHERS = 4
"""...and of all that is not named there; but nothing stays nothing."""


class Size(NamedTuple):
    """How many there are of something.

    Attributes:
        own: in a model.
        to: in the model of canonical sizes.
    """

    own: int
    to: int


Sizes = Mapping[str, Size]
"""Of everything that has an axis in the arrays of a model, by its name."""


class Rule(NamedTuple):
    """How an array is padded.

    Attributes:
        axes: what its last axes stand for.
        value: of what is added, where the array holds no positions.
        counts: what its values are positions of. Behind the last position is what
            stands for none; that is what is added.
    """

    axes: tuple[str, ...]
    value: int | float = 0.0
    counts: str = ""


_CELLS, _BY_CHANNEL = ("samples", "bins"), ("samples", "channels")

RULES: Mapping[str, Rule] = {
    ".nominal": Rule(_CELLS),
    ".histosys.index": Rule(("histosys",), counts="parameters"),
    ".histosys.odd": Rule(("histosys", *_CELLS)),
    ".histosys.even": Rule(("histosys", *_CELLS)),
    ".normsys.index": Rule(("normsys",), counts="parameters"),
    ".normsys.modifier": Rule(("variations",), counts="normsys"),
    ".normsys.cell": Rule(("variations",)),
    ".normsys.slot": Rule(("normsys_slots", *_BY_CHANNEL), counts="variations"),
    ".normsys.table": Rule(("normsys", *_BY_CHANNEL), counts="variations"),
    ".normsys.coefficients": Rule(("variations",)),
    ".normsys.log_hi": Rule(("variations",)),
    ".normsys.log_lo": Rule(("variations",)),
    ".scaling.index": Rule(("scaling_slots", *_CELLS), counts="factors"),
    ".bin_channel": Rule(("bins",)),
    ".bin_present": Rule(("bins",)),
    ".parameters.init": Rule(("parameters",)),
    ".parameters.lower": Rule(("parameters",), -1.0),
    ".parameters.upper": Rule(("parameters",), 1.0),
    ".parameters.fixed": Rule(("parameters",), 1.0),
    ".lookup.histosys": Rule(("factors",), counts="histosys"),
    ".lookup.normsys": Rule(("factors",), counts="normsys"),
    ".lookup.gaussian": Rule(("parameters",), counts="gaussian"),
    ".lookup.poisson": Rule(("parameters",), counts="poisson"),
    ".lookup.lognormal": Rule(("parameters",), counts="lognormal"),
    ".lookup.bins": Rule(("channels", "widths"), counts="bins"),
    ".crossings.index": Rule((), counts="parameters"),
    ".lopsided.index": Rule((), counts="parameters"),
    ".lopsided.plane": Rule(("bins",)),
    ".surges.index": Rule((), counts="parameters"),
    ".surges.along": Rule(("bins",)),
    ".local.index": Rule(("local_slots", "bins"), counts="parameters"),
    ".local.others": Rule(("others",), counts="parameters"),
    ".local.row": Rule(("parameters",), counts="others"),
    ".local.slot": Rule(("parameters",), counts="local_slots"),
    ".local.bin": Rule(("parameters",)),
    ".main": Rule(("bins",)),
    ".aux": Rule(("aux",)),
}
"""Of the arrays of blocks, models and data, by their names; all others stay."""
TERMS = ("gaussian", "poisson", "lognormal")
"""Kinds of constraint terms, in the order in which their auxiliary data are padded."""
TERM_RULES = {"index": "parameters", "present": 0.0, "position": 0.0}
"""What is padded by something else than 1 in the arrays of constraint terms."""


def rung(size: int, least: int = 1) -> int:
    """The size of the ladder that holds this one: nothing stays nothing.

    Args:
        size: how many there are.
        least: the least size of the ladder.

    Example:
        >>> [rung(size) for size in (0, 1, 3, 9, 33, 65, 130)], rung(1, 4)
        ([0, 1, 4, 16, 40, 80, 160], 4)
        >>> rung(5)
        6
    """
    if size <= FEW:
        return max(least, size + size % 2 if size > 1 else size) if size else 0
    step = max(FEW, (1 << (size - 1).bit_length()) // (2 * FINENESS))
    return -(-size // step) * step


def _on_ladder(own: Mapping[str, int]) -> dict[str, Size]:
    return {
        name: Size(size, rung(size, LEAST.get(name, LEAST_OF_OTHERS)))
        for name, size in own.items()
    }


def block_sizes(block: SampleBlock) -> dict[str, Size]:
    """Sizes of a block of samples; a batch has leading axes, which do not count."""
    own = {
        "samples": block.nominal.shape[-2],
        "bins": block.nominal.shape[-1],
        "channels": block.normsys.slot.shape[-1],
        "variations": block.normsys.log_hi.shape[-1],
        "histosys": block.histosys.index.shape[-1],
        "normsys": block.normsys.index.shape[-1],
        "normsys_slots": block.normsys.slot.shape[-3],
        "scaling_slots": block.scaling.index.shape[-3],
    }
    return _on_ladder(own)


def model_sizes(model: Model) -> dict[str, Size]:
    """Sizes of a model and its data; a batch has leading axes, which do not count."""
    own = {kind: getattr(model, kind).index.shape[-1] for kind in TERMS}
    terms = _on_ladder(own)
    (parameters,) = _on_ladder({"parameters": model.parameters.init.shape[-1]}).values()
    derived = 0 if model.derivation is None else len(model.derivation.results)
    others = {
        "parameters": parameters,
        "factors": Size(parameters.own + derived, parameters.to + derived),
        "aux": Size(*(sum(each) for each in zip(*terms.values(), strict=True))),
    }
    widths = _on_ladder({"widths": model.lookup.bins.shape[-1]})
    return block_sizes(model.block) | terms | others | widths | _local_sizes(model)


def _local_sizes(model: Model) -> dict[str, Size]:
    if model.local is None:
        return {}
    slots, others = model.local.index.shape[-2], model.local.others.shape[-1]
    return _on_ladder({"local_slots": slots, "others": others})


def padded(tree: Tree, sizes: Sizes) -> Tree:
    """Pad a block, a model or data to canonical sizes, as NumPy arrays.

    Args:
        tree: without names; a batch has leading axes, and leaves may be None.
        sizes: of it.
    """

    def pad(path: Any, leaf: Array) -> Array:
        name = keystr(path).removeprefix(".block")
        kind, _, field = name[1:].partition(".")
        if kind in TERMS:
            return _pad_term(np.asarray(leaf), kind, field, sizes)
        if name not in RULES:
            return leaf
        known = np.asarray(leaf)
        if name == ".normsys.cell":
            known = _moved_cells(known, sizes["channels"])
        return _pad(known, RULES[name], sizes)

    return tree_map_with_path(pad, tree)


def _pad(leaf: np.ndarray, rule: Rule, sizes: Sizes) -> np.ndarray:
    """Pad an array by its rule."""
    value = sizes[rule.counts].to if rule.counts else rule.value
    if rule.counts:
        leaf = _moved(leaf, rule.counts, sizes)
    if rule.axes == ("factors",):
        return _parted(leaf, sizes["parameters"], value)
    return filled(leaf, tuple(sizes[axis].to for axis in rule.axes), value)


def _parted(leaf: np.ndarray, parameters: Size, value: int | float) -> np.ndarray:
    """Pad between parameters and derived ones, which stay behind all of them."""
    own, to = parameters
    room = np.full((*leaf.shape[:-1], to - own), value, leaf.dtype)
    return np.concatenate([leaf[..., :own], room, leaf[..., own:]], axis=-1)


def _moved(leaf: np.ndarray, counts: str, sizes: Sizes) -> np.ndarray:
    """Positions, those behind the last of what they count moved on with that."""
    own, to = sizes["parameters" if counts == "factors" else counts]
    return np.where(leaf >= own, leaf + (to - own), leaf).astype(leaf.dtype)


def _moved_cells(cell: np.ndarray, channels: Size) -> np.ndarray:
    """Positions of cells, samples by channels, in a table of more channels."""
    row, channel = np.divmod(cell, max(channels.own, 1))
    return (row * channels.to + channel).astype(cell.dtype)


def _pad_term(leaf: np.ndarray, kind: str, field: str, sizes: Sizes) -> np.ndarray:
    """Pad an array of constraint terms; new auxiliary data stand behind all others."""
    own, to = sizes[kind]
    rule = TERM_RULES.get(field, 1.0)
    value = sizes[rule].to if isinstance(rule, str) else rule
    full = filled(leaf, (to,), value)
    if field == "position":
        before = TERMS[: TERMS.index(kind)]
        behind = sizes["aux"].own + sum(sizes[k].to - sizes[k].own for k in before)
        full[..., own:] = behind + np.arange(to - own)
    return full


def filled(leaf: Array, sizes: tuple[int, ...], value: int | float) -> np.ndarray:
    """Pad the last axes of an array.

    Example:
        >>> filled(np.ones((1, 2)), (2, 3), 0.0).tolist()
        [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    known = np.asarray(leaf)
    lead = known.ndim - len(sizes)
    room = [n - m for n, m in zip(sizes, known.shape[lead:], strict=True)]
    pads = [(0, 0)] * lead + [(0, more) for more in room]
    return np.pad(known, pads, constant_values=value)


def canonical(model: Model, data: Data, *others: Array) -> tuple[Model, Data]:
    """Model and data of canonical sizes, without names; as they are if one is traced.

    What is made of a model is kept as long as that lives.

    Args:
        model: a model.
        data: its data.
        others: what is to be padded alike.
    """
    if model.is_traced or not is_known((model, data, others)):
        return model.anonymous(), data.anonymous()
    key = id(model)
    if key not in _known:
        sizes = model_sizes(model)
        # Also while something else is traced: a traced copy would outlive its trace.
        with jax.ensure_compile_time_eval():
            own = jax.device_put(padded(model.anonymous(), sizes))
        _known[key] = sizes, own
        weakref.finalize(model, _known.pop, key, None)
    sizes, own = _known[key]
    return own, padded(data.anonymous(), sizes)


_known: dict[int, tuple[Sizes, Model]] = {}


def pad_vector(vector: Array, model: Model, value: int | float) -> Array:
    """Pad vectors of parameters for a model of canonical sizes.

    Args:
        vector: parameters on the last axis.
        model: the model of canonical sizes, or as it was.
        value: of parameters that were not there.
    """
    size = model.parameters.init.shape[-1]
    return vector if vector.shape[-1] == size else filled(vector, (size,), value)


def cut(leaf: Array, size: int) -> Array:
    """The first values on the last axis of an array: what is behind them is padding.

    Example:
        >>> cut(np.arange(3.0), 2).tolist()
        [0.0, 1.0]
    """
    if leaf.shape[-1] == size:
        return leaf
    if is_known(leaf) and isinstance(leaf, jax.Array):
        # a slice of JAX would compile a program for each size
        return jax.device_put(np.asarray(leaf)[..., :size])
    return leaf[..., :size]


def cut_square(leaf: Array, size: int) -> Array:
    """The first rows and columns of a matrix of parameters: the others are padding.

    Example:
        >>> cut_square(np.eye(3), 2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    if leaf.shape[-1] == size:
        return leaf
    inside = np.asarray(leaf)[..., :size, :size]
    return jax.device_put(inside) if isinstance(leaf, jax.Array) else inside

"""From a workspace to a model: the one place where documents become arrays.

Everything here is NumPy and runs once. The arrays of many samples are stacked into one
`SampleBlock`; which modifiers act on which cell becomes a table of indices.
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence

import jax
import numpy as np

from hfjax.errors import ModelError, PrecisionError
from hfjax.model.constraints import GaussianConstraints, PoissonConstraints
from hfjax.model.interpolation import (
    ADDITIVE_BASES,
    MULTIPLICATIVE_EDGES,
    code4_coefficients,
    safe_log,
)
from hfjax.model.model import Crossings, Data, Model, Names, SampleBlock
from hfjax.model.modifiers import HistoSys, NormSys, Scaling
from hfjax.model.parameters import Parameters, ParameterSet
from hfjax.spec.parameters import (
    ParameterGroup,
    bin_count,
    parameter_groups,
    parameter_of_interest,
)
from hfjax.spec.patchset import Patch, apply_patch
from hfjax.spec.workspace import Sample, Workspace


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """Choices that a workspace leaves open.

    Attributes:
        normsys: interpolation code of normsys: code1 or code4.
        histosys: interpolation code of histosys: code0, code2 or code4p.
        positive: ROOT's rule for normsys products at or below zero, see `NormSys`.
        dtype: float64, or float32 for those who know that its fits are coarse.
    """

    normsys: str = "code4"
    histosys: str = "code4p"
    positive: bool = False
    dtype: str = "float64"

    def __post_init__(self) -> None:
        """Refuse codes that do not exist."""
        for kind, known in (
            ("normsys", MULTIPLICATIVE_EDGES),
            ("histosys", ADDITIVE_BASES),
        ):
            if (code := getattr(self, kind)) not in known:
                message = f"{kind} has no interpolation {code!r}: choose of {[*known]}"
                raise ModelError(message)


@dataclasses.dataclass(frozen=True)
class Layout:
    """Positions of everything that has a place in the arrays of a model.

    Attributes:
        channels: first bin and number of bins of each channel, in alphabetical order.
        sets: position and names of the parameters.
        groups: the parameters by name, in the order of ``sets``.
    """

    channels: dict[str, tuple[int, int]]
    sets: dict[str, ParameterSet]
    groups: dict[str, ParameterGroup]

    @property
    def bins(self) -> int:
        """Number of bins of all channels."""
        return sum(width for _, width in self.channels.values())

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(group.size for group in self.groups.values())

    @functools.cached_property
    def channel_index(self) -> dict[str, int]:
        """Position of each channel."""
        return {name: i for i, name in enumerate(self.channels)}


Cell = tuple[int, str, Sample]
"""Where a sample goes: its row in the block and its channel."""


def build(
    workspace: Workspace,
    measurement: str | int | None = None,
    patch: Patch | Sequence[dict] | None = None,
    settings: ModelSettings = ModelSettings(),
    background: Workspace | None = None,
) -> tuple[Model, Data]:
    """Compile a workspace into a model and its observed data.

    Args:
        workspace: a parsed workspace; a background-only one may lack its parameter of
            interest.
        measurement: name or position of the measurement; the first by default.
        patch: signal to add: an entry of a patchset, or JSON-patch operations.
        settings: interpolation codes and precision.
        background: the workspace before a signal was added, where that was done by the
            caller; see `hfjax.spec.parameters.parameter_of_interest`.

    Returns:
        The model, and the observed main and nominal auxiliary data.

    Raises:
        ModelError: the workspace has no meaning as a model.
        PrecisionError: float64 is asked for while JAX runs in float32.
    """
    check_precision(settings)
    if patch is not None:
        background = workspace
        is_entry = isinstance(patch, Patch)
        workspace = (
            patch.apply(workspace) if is_entry else apply_patch(workspace, patch)
        )
    chosen = workspace.measurement(measurement)
    groups = parameter_groups(workspace, chosen)
    layout = make_layout(channel_bins(workspace), groups)
    samples = sorted({s.name for c in workspace.channels for s in c.samples})
    cells = [
        (samples.index(s.name), c.name, s)
        for c in workspace.channels
        for s in c.samples
    ]
    block = fill_block(cells, layout, settings)
    poi = parameter_of_interest(groups, chosen, background)
    model = assemble((block,), layout, settings, Names(poi=poi, samples=(*samples,)))
    return to_device(model, settings), to_device(observed(workspace, layout), settings)


def check_precision(settings: ModelSettings) -> None:
    """Refuse to build a float64 model while JAX runs in float32.

    Raises:
        PrecisionError: with the line that switches float64 on.
    """
    if settings.dtype == "float64" and not jax.config.read("jax_enable_x64"):
        message = (
            "a float64 model needs JAX's 64-bit mode: put "
            "`jax.config.update('jax_enable_x64', True)` at the start of your program, "
            "or ask for ModelSettings(dtype='float32')"
        )
        raise PrecisionError(message)


def channel_bins(workspace: Workspace) -> dict[str, int]:
    """Number of bins of each channel."""
    return {channel.name: bin_count(channel) for channel in workspace.channels}


def make_layout(bins: dict[str, int], groups: tuple[ParameterGroup, ...]) -> Layout:
    """Give every channel, in alphabetical order, and every parameter its position."""
    channels, start = {}, 0
    for name in sorted(bins):
        channels[name] = (start, bins[name])
        start += bins[name]
    sets, start = {}, 0
    for group in groups:
        sets[group.name] = ParameterSet(group.name, start, group.size, group.scalar)
        start += group.size
    return Layout(channels, sets, {group.name: group for group in groups})


def assemble(
    blocks: tuple[SampleBlock, ...],
    layout: Layout,
    settings: ModelSettings,
    names: Names,
) -> Model:
    """Put sample blocks, constraint terms and parameters together."""
    gaussian, poisson = fill_constraints(layout)
    widths = [width for _, width in layout.channels.values()]
    names = dataclasses.replace(
        names, channels=tuple(layout.channels), bins=tuple(widths)
    )
    return Model(
        blocks=blocks,
        bin_channel=np.repeat(np.arange(len(widths), dtype=np.int32), widths),
        bin_present=np.ones(layout.bins, bool),
        gaussian=gaussian,
        poisson=poisson,
        parameters=fill_parameters(layout),
        crossings=fill_crossings([block.normsys for block in blocks], settings),
        poi=np.int32(poi_position(layout, names.poi)),
        names=names,
    )


MAX_CROSSINGS = 12
"""Most crossings that a fit looks into: those of the largest undershoots."""


def fill_crossings(blocks: Sequence[NormSys], settings: ModelSettings) -> Crossings:
    """Find where polynomials of code 4 cross zero, deepest first, each value once."""
    found: dict[tuple[int, float], float] = {}
    if settings.normsys == "code4":
        for normsys in blocks:
            for index, value, depth in _crossings(normsys):
                key = (index, round(value, 6))
                found[key] = min(depth, found.get(key, 0.0))
    deepest = sorted(found, key=found.__getitem__)[:MAX_CROSSINGS]
    index = np.array([key[0] for key in deepest], np.int32)
    return Crossings(index, np.array([key[1] for key in deepest], float))


def _crossings(normsys: NormSys) -> Iterator[tuple[int, float, float]]:
    """Yield parameter, crossing and lowest value of every polynomial that crosses."""
    extreme = np.maximum(np.abs(normsys.log_hi), np.abs(normsys.log_lo)) > 0.5
    grid = np.linspace(-1.0, 1.0, 101)
    for place in zip(*np.nonzero(extreme), strict=True):
        ascending = [1.0, *normsys.coefficients[(slice(None), *place)]]
        lowest = np.polynomial.polynomial.polyval(grid, ascending).min()
        if lowest > 0.0:
            continue
        for root in np.polynomial.polynomial.polyroots(ascending):
            if abs(root.imag) < 1e-9 and abs(root.real) < 1.0:
                row = normsys.slot[place]
                yield int(normsys.index[row]), float(root.real), float(lowest)


def poi_position(layout: Layout, poi: str | None) -> int:
    """Position of the parameter of interest, -1 where the model does not have it.

    Raises:
        ModelError: the parameter of interest has several components.
    """
    if poi is None or poi not in layout.sets:
        return -1
    if layout.sets[poi].size != 1:
        message = (
            f"the parameter of interest {poi!r} has {layout.sets[poi].size} components: "
            "name one with a single component in the measurement"
        )
        raise ModelError(message)
    return layout.sets[poi].start


def fill_parameters(layout: Layout) -> Parameters:
    """Initial values, bounds and fixed flags of all parameters.

    Raises:
        ModelError: an initial value is outside its bounds.
    """
    groups = layout.groups.values()
    bounds = np.array([pair for g in groups for pair in g.bounds]).reshape(-1, 2)
    parameters = Parameters(
        init=np.array([value for g in groups for value in g.inits], float),
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        fixed=np.array([flag for g in groups for flag in g.fixed], bool),
        sets=tuple(layout.sets.values()),
    )
    outside = (parameters.init < bounds[:, 0]) | (parameters.init > bounds[:, 1])
    for i in np.flatnonzero(outside):
        message = (
            f"parameter {parameters.names[i]!r} starts at {parameters.init[i]:g}, "
            f"outside its bounds [{bounds[i, 0]:g}, {bounds[i, 1]:g}]: correct inits or "
            "bounds in the measurement"
        )
        raise ModelError(message)
    return parameters


def fill_constraints(layout: Layout) -> tuple[GaussianConstraints, PoissonConstraints]:
    """Constraint terms of both kinds; auxiliary data follow the parameters' order."""
    rows: dict[str, list[tuple[int, int, float]]] = {"normal": [], "poisson": []}
    position = 0
    for group in layout.groups.values():
        start = layout.sets[group.name].start
        for i, width in enumerate(group.widths):
            rows[group.constraint].append((start + i, position, width))
            position += 1
    terms = [GaussianConstraints, PoissonConstraints]
    return tuple(  # type: ignore[return-value]
        term(*_columns(rows[kind])) for term, kind in zip(terms, rows, strict=True)
    )


def _columns(rows: list[tuple[int, int, float]]) -> tuple[np.ndarray, ...]:
    index = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    width = np.array([row[2] for row in rows], float)
    return index[:, 0], index[:, 1], width, np.ones(len(rows), bool)


def observed(workspace: Workspace, layout: Layout) -> Data:
    """Observed events in channel order, and nominal auxiliary data.

    A channel that a patch removed together with its observation counts as empty.
    """
    counts = {found.name: found.data for found in workspace.observations}
    main = [
        counts.get(name, (0.0,) * width) for name, (_, width) in layout.channels.items()
    ]
    aux = [value for group in layout.groups.values() for value in group.auxdata]
    return Data(np.concatenate(main).astype(float), np.array(aux, float))


def to_device(tree, settings: ModelSettings):
    """Move the arrays of a pytree to JAX's default device, in the chosen precision."""

    def convert(leaf: np.ndarray) -> np.ndarray:
        floating = np.issubdtype(leaf.dtype, np.floating)
        return leaf.astype(settings.dtype) if floating else leaf

    return jax.device_put(jax.tree.map(convert, tree))


@dataclasses.dataclass(frozen=True)
class BlockShape:
    """Sizes that blocks must share to be stacked.

    Attributes:
        samples: rows.
        histosys: names of the histosys, in order.
        normsys: names of the normsys, in order.
        normsys_slots: slots for normsys factors.
        scaling_slots: slots for factors that are parameters.
    """

    samples: int
    histosys: tuple[str, ...]
    normsys: tuple[str, ...]
    normsys_slots: int
    scaling_slots: int


def block_shape(cells: Sequence[Cell]) -> BlockShape:
    """Smallest shape that holds the samples."""
    names: dict[str, set[str]] = {"histosys": set(), "normsys": set(), "scaling": set()}
    slots = {"histosys": 0, "normsys": 0, "scaling": 0}
    for _, _, sample in cells:
        kinds = [m.type if m.type in names else "scaling" for m in sample.modifiers]
        for kind in names:
            slots[kind] = max(slots[kind], kinds.count(kind))
        for kind, modifier in zip(kinds, sample.modifiers, strict=True):
            names[kind].add(modifier.name)
    return BlockShape(
        samples=max((row + 1 for row, _, _ in cells), default=0),
        histosys=tuple(sorted(names["histosys"])),
        normsys=tuple(sorted(names["normsys"])),
        normsys_slots=slots["normsys"],
        scaling_slots=slots["scaling"],
    )


def fill_block(
    cells: Sequence[Cell],
    layout: Layout,
    settings: ModelSettings,
    shape: BlockShape | None = None,
) -> SampleBlock:
    """Stack samples and their modifiers into arrays.

    Args:
        cells: row, channel and sample; a sample absent from a channel contributes zero.
        layout: positions of channels and parameters.
        settings: interpolation codes.
        shape: larger shape to pad to; empty rows and slots contribute nothing.
    """
    shape = shape or block_shape(cells)
    nominal = np.zeros((shape.samples, layout.bins))
    for row, channel, sample in cells:
        start, width = layout.channels[channel]
        nominal[row, start : start + width] = sample.data
    return SampleBlock(
        nominal=nominal,
        histosys=_fill_histosys(cells, layout, settings, shape),
        normsys=_fill_normsys(cells, layout, settings, shape),
        scaling=_fill_scaling(cells, layout, shape),
    )


def _fill_histosys(
    cells: Sequence[Cell], layout: Layout, settings: ModelSettings, shape: BlockShape
) -> HistoSys:
    rows = {name: i for i, name in enumerate(shape.histosys)}
    odd = np.zeros((len(rows), shape.samples, layout.bins))
    even = np.zeros_like(odd)
    for row, channel, sample in cells:
        start, width = layout.channels[channel]
        chosen = [m for m in sample.modifiers if m.type == "histosys"]
        if not chosen:
            continue
        where = np.array([rows[m.name] for m in chosen])
        hi = np.array([m.data["hi_data"] for m in chosen], float)
        lo = np.array([m.data["lo_data"] for m in chosen], float)
        nominal = np.array(sample.data, float)
        odd[where, row, start : start + width] = 0.5 * (hi - lo)
        even[where, row, start : start + width] = 0.5 * (hi + lo) - nominal
    index = np.array([layout.sets[name].start for name in rows], np.int32)
    return HistoSys(index, odd, even, settings.histosys)


def _fill_normsys(
    cells: Sequence[Cell], layout: Layout, settings: ModelSettings, shape: BlockShape
) -> NormSys:
    rows = {name: i for i, name in enumerate(shape.normsys)}
    size = (shape.normsys_slots, shape.samples, len(layout.channels))
    slots = np.full(size, len(rows), np.int32)
    hi, lo = np.ones(size), np.ones(size)
    for row, channel, sample in cells:
        column = layout.channel_index[channel]
        chosen = [m for m in sample.modifiers if m.type == "normsys"]
        for slot, modifier in enumerate(sorted(chosen, key=lambda m: m.name)):
            slots[slot, row, column] = rows[modifier.name]
            hi[slot, row, column] = modifier.data["hi"]
            lo[slot, row, column] = modifier.data["lo"]
    return NormSys(
        np.array([layout.sets[name].start for name in rows], np.int32),
        slots,
        code4_coefficients(hi, lo),
        safe_log(hi),
        safe_log(lo),
        settings.normsys,
        settings.positive,
    )


def _fill_scaling(cells: Sequence[Cell], layout: Layout, shape: BlockShape) -> Scaling:
    index = np.full(
        (shape.scaling_slots, shape.samples, layout.bins), layout.size, np.int32
    )
    for row, channel, sample in cells:
        start, width = layout.channels[channel]
        chosen = [m for m in sample.modifiers if m.type not in ("histosys", "normsys")]
        for slot, modifier in enumerate(sorted(chosen, key=lambda m: m.name)):
            positions = _bin_positions(modifier.name, channel, width, layout)
            index[slot, row, start : start + width] = positions
    return Scaling(index)


def _bin_positions(name: str, channel: str, width: int, layout: Layout) -> np.ndarray:
    """Parameter that scales each bin of a channel."""
    each = layout.sets[name]
    if each.scalar:
        return np.full(width, each.start, np.int32)
    offset = layout.groups[name].offsets[channel]
    return each.start + offset + np.arange(width, dtype=np.int32)

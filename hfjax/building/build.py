"""From a workspace to a model: the one place where documents become arrays.

Everything here is NumPy and runs once; `hfjax.building.fill` stacks the samples.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from hfjax.building.crossings import fill_crossings
from hfjax.building.fill import (
    PlacedSample,
    block_shape,
    fill_block,
    fill_derivation,
)
from hfjax.building.layout import Layout, channel_bins, make_layout
from hfjax.building.local import fill_local
from hfjax.building.lookup import fill_lookup
from hfjax.building.lopsided import fill_lopsided, no_lopsided
from hfjax.building.sources import fill_sources
from hfjax.building.surges import fill_surges, no_surges
from hfjax.documents.parameters.overrides import starts_outside
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.parameter_sets import (
    model_parameters,
    parameter_of_interest,
)
from hfjax.documents.patchset.patchset import Patch, apply_patch
from hfjax.documents.reading.garbage import no_collections
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ArgumentError, check_kind
from hfjax.model.constraints import (
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
)
from hfjax.model.curves import moving_parameters
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.names import Names
from hfjax.model.parameters import Parameters
from hfjax.model.sample_block import SampleBlock
from hfjax.model.settings import ModelSettings, check_precision

AS_LOADED = "Workspace.load reads a file, Workspace.parse takes a document"
MOST_BINS = 2000
"""Most bins of a model that is looked at for other valleys: that takes a matrix of bins
by bins, here and in fits. Crossings of polynomials are looked into in all models."""


@no_collections()
def build(
    workspace: Workspace,
    measurement: str | int | None = None,
    patch: Patch | Sequence[dict] | None = None,
    settings: ModelSettings = ModelSettings(),
    background: Workspace | None = None,
) -> tuple[Model, Data]:
    """Compile a workspace into a model and its observed data.

    Fits need no parameter of interest. What needs one refuses a model whose measurement
    names a parameter that it does not have, or that has several components;
    `Model.with_poi` chooses another.

    Args:
        workspace: a parsed workspace; a background-only one may lack its parameter of
            interest.
        measurement: name or position of the measurement; the first by default.
        patch: signal to add: an entry of a patchset, or JSON-patch operations.
        settings: interpolation codes.
        background: the workspace before a signal was added, where that was done by the
            caller; see
            `hfjax.documents.parameters.parameter_sets.parameter_of_interest`.

    Returns:
        The model, and the observed main and nominal auxiliary data.

    Raises:
        ModelError: the workspace has no meaning as a model.
        PrecisionError: JAX runs in float32.

    Example:
        >>> import hfjax
        >>> mu = {"name": "mu", "type": "normfactor", "data": None}
        >>> signal = {"name": "signal", "data": [3.0, 4.0], "modifiers": [mu]}
        >>> config = {"poi": "mu", "parameters": []}
        >>> workspace = {
        ...     "channels": [{"name": "SR", "samples": [signal]}],
        ...     "observations": [{"name": "SR", "data": [2.0, 5.0]}],
        ...     "measurements": [{"name": "search", "config": config}],
        ...     "version": "1.0.0",
        ... }
        >>> model, data = hfjax.build(hfjax.Workspace.parse(workspace))
        >>> model.poi_name, model.names.channels, data.main.tolist()
        ('mu', ('SR',), [2.0, 5.0])
    """
    check_precision()
    check_kind("the workspace", workspace, Workspace, AS_LOADED)
    if isinstance(measurement, Patch):
        message = "a patch is no measurement: give it by its name, patch=..."
        raise ArgumentError(message)
    if patch is not None:
        background = workspace
        workspace = (
            patch.apply(workspace)
            if isinstance(patch, Patch)
            else apply_patch(workspace, patch)
        )
    chosen = workspace.measurement(measurement)
    groups, derived = model_parameters(workspace, chosen)
    layout = make_layout(channel_bins(workspace), groups, derived)
    samples = sorted({s.name for c in workspace.channels for s in c.samples})
    placed = [
        PlacedSample(samples.index(s.name), c.name, s)
        for c in workspace.channels
        for s in c.samples
    ]
    shape = block_shape(placed)
    block = fill_block(placed, layout, settings, shape)
    poi = parameter_of_interest(groups, chosen, background)
    names = Names(poi=poi, announced=chosen.poi or None, samples=(*samples,))
    model = assemble(block, layout, settings, names)
    sources = fill_sources(placed, layout, shape, chosen)
    model = dataclasses.replace(model, sources=sources)
    return to_device(model), to_device(observed(workspace, layout))


def assemble(
    block: SampleBlock,
    layout: Layout,
    settings: ModelSettings,
    names: Names,
) -> Model:
    """Put samples, constraint terms and parameters together."""
    terms = gaussian, poisson, lognormal = fill_constraints(layout)
    widths = [width for _, width in layout.channels.values()]
    names = dataclasses.replace(
        names,
        channels=tuple(layout.channels),
        bins=tuple(widths),
        derived=tuple(layout.derived_index),
        auxdata=auxdata(layout),
    )
    bin_channel = np.repeat(np.arange(len(widths), dtype=np.int32), widths)
    parameters = fill_parameters(layout)
    model = Model(
        block=block,
        bin_channel=bin_channel,
        bin_present=np.ones(layout.bins, bool),
        gaussian=gaussian,
        poisson=poisson,
        lognormal=lognormal,
        parameters=parameters,
        lookup=fill_lookup(block, terms, layout),
        crossings=fill_crossings(block.normsys, settings),
        lopsided=no_lopsided(bin_channel.size),
        surges=no_surges(bin_channel.size),
        poi=np.asarray(poi_position(layout, names.poi), np.int32),
        names=names,
        derivation=fill_derivation(layout),
    )
    local = fill_local(model)
    if bin_channel.size > MOST_BINS:
        return dataclasses.replace(model, local=local)
    aux = np.array([value for _, value in names.auxdata], float)
    moving = moving_parameters(model, aux)
    return dataclasses.replace(
        model,
        local=local,
        lopsided=fill_lopsided(moving),
        surges=fill_surges(moving),
    )


def poi_position(layout: Layout, poi: str | None) -> int:
    """Position of the parameter of interest, -1 where the model has no such number."""
    if poi is None or poi not in layout.sets or layout.sets[poi].size != 1:
        return -1
    return layout.sets[poi].start


def fill_parameters(layout: Layout) -> Parameters:
    """Initial values, bounds and fixed flags of all parameters.

    Raises:
        ModelError: an initial value is outside its bounds.
    """
    groups = layout.groups.values()
    check_starts(groups)
    bounds = np.array([pair for g in groups for pair in g.bounds]).reshape(-1, 2)
    return Parameters(
        init=np.array([value for g in groups for value in g.inits], float),
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        fixed=np.array([flag for g in groups for flag in g.fixed], bool),
        sets=tuple(layout.sets.values()),
    )


def check_starts(groups: Iterable[ParameterGroup]) -> None:
    """Refuse initial values outside of their bounds.

    Raises:
        ModelError: there is one.
    """
    for group in groups:
        pairs = zip(group.inits, group.bounds, strict=True)
        for i, (start, (low, high)) in enumerate(pairs):
            if start < low or start > high:
                name = group.name if group.scalar else f"{group.name}[{i}]"
                raise starts_outside(name, float(start), float(low), float(high))


def fill_constraints(
    layout: Layout,
) -> tuple[GaussianConstraints, PoissonConstraints, LogNormalConstraints]:
    """Constraint terms of each kind; auxiliary data follow the parameters' order."""
    rows: dict[str, list[Row]] = {"normal": [], "poisson": [], "lognormal": []}
    position = 0
    for group in layout.groups.values():
        start = layout.sets[group.name].start
        for i, width in enumerate(group.widths):
            row = (start + i, position, width, group.scale, group.shift)
            rows[group.constraint].append(row)
            position += 1
    normal, poisson, logs = map(_columns, rows.values())
    factor = poisson.width * poisson.scale
    return (
        GaussianConstraints(*normal[:3], normal.present),
        PoissonConstraints(*poisson[:2], factor, poisson.shift, poisson.present),
        LogNormalConstraints(*logs[:3], logs.scale, logs.shift, logs.present),
    )


Row = tuple[int, int, float, float, float]


class _Columns(NamedTuple):
    """What the terms of one kind are made of, all of them present."""

    index: np.ndarray
    position: np.ndarray
    width: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    present: np.ndarray


def _columns(rows: list[Row]) -> _Columns:
    index = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    values = np.array([row[2:] for row in rows], float).reshape(-1, 3)
    return _Columns(
        *(index[:, 0], index[:, 1]),
        *(values[:, 0], values[:, 1], values[:, 2]),
        np.ones(len(rows), bool),
    )


def observed(workspace: Workspace, layout: Layout) -> Data:
    """Observed events in channel order, and nominal auxiliary data.

    A channel that a patch removed together with its observation counts as empty.
    """
    counts = {found.name: found.data for found in workspace.observations}
    main = [
        counts.get(name, (0.0,) * width) for name, (_, width) in layout.channels.items()
    ]
    named = auxdata(layout)
    aux = np.array([value for _, value in named], float)
    channels = {name: width for name, (_, width) in layout.channels.items()}
    constrained = tuple(name for name, _ in named)
    return Data(np.concatenate(main).astype(float), aux, channels, constrained)


def auxdata(layout: Layout) -> tuple[tuple[str, float], ...]:
    """Nominal auxiliary data, each with the name of its parameter."""
    return tuple(
        pair
        for name, group in layout.groups.items()
        if group.auxdata
        for pair in zip(layout.sets[name].names, group.auxdata, strict=True)
    )


def to_device(tree):
    """Move the arrays of a pytree to JAX's default device."""

    def convert(leaf: np.ndarray) -> np.ndarray:
        floating = np.issubdtype(leaf.dtype, np.floating)
        return leaf.astype(float, copy=False) if floating else leaf

    return jax.device_put(jax.tree.map(convert, tree))

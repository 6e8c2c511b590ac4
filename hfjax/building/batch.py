"""From a patchset to one batched model.

All points of a scan share the arrays of the background; only what patches bring is
stacked. Parameters are aligned by name: the union over all points is laid out once, and
what a point lacks is fixed and masked, so that it changes nothing.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from hfjax.building.align import SignalPoint, own_layout, union_layout
from hfjax.building.build import (
    AS_LOADED,
    assemble,
    fill_parameters,
    observed,
    to_device,
)
from hfjax.building.fill import BlockShape, PlacedSample, block_shape, fill_block
from hfjax.building.layout import Layout, channel_bins, make_layout
from hfjax.building.local import padded_local
from hfjax.building.lopsided import padded
from hfjax.building.points import Lanes, ScanBatch, ScanGroup
from hfjax.building.surges import padded_surges, room_of
from hfjax.documents.parameters.parameter_sets import (
    model_parameters,
    parameter_of_interest,
)
from hfjax.documents.patchset.patchset import Patch, PatchSet
from hfjax.documents.workspace.workspace import Sample, Workspace
from hfjax.errors import (
    HfjaxError,
    ModelError,
    UnknownNameError,
    check_kind,
    derived_poi,
    fixed_poi,
    missing_poi,
    several_components,
    unknown_name,
)
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.names import Names
from hfjax.model.sample_block import SampleBlock, join_blocks
from hfjax.model.settings import ModelSettings, check_precision
from hfjax.model.valley_sources import Crossings


def build_scan(
    workspace: Workspace,
    patchset: PatchSet,
    *,
    measurement: str | int | None = None,
    poi: str | None = None,
    names: Sequence[str] | None = None,
    settings: ModelSettings = ModelSettings(),
) -> ScanBatch:
    """Compile a background-only workspace and its patches into one batched model.

    Args:
        workspace: the workspace that the patches are made for.
        patchset: signal hypotheses; its digest is not verified here.
        measurement: name or position of the measurement; the first by default.
        poi: name of the parameter of interest; that of the measurement by default. It
            has one component: those of others, such as ``gamma[1]``, are tested one
            point at a time, with `Model.with_poi`.
        names: patches to take; all by default.
        settings: interpolation codes.

    Returns:
        The batch. A patch that cannot be applied, or leaves no valid model, is listed
        in its ``failures`` and stops no other.

    Raises:
        UnknownNameError: a name or the measurement does not exist.
        HfjaxError: the parameter of interest that is asked for can be tested in none
            of the points.
        ArgumentError: the workspace or the patchset is something else.
        PrecisionError: JAX runs in float32.

    Example:
        >>> import hfjax
        >>> top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
        >>> search = hfjax.workspace([top], {"SR": [8]}, poi="mu")
        >>> signals = [
        ...     {"values": {"mass": mass}, "channels": {"SR": [8 / mass]}}
        ...     for mass in (1, 4)
        ... ]
        >>> patchset = hfjax.make_patchset(search, signals)
        >>> batch = hfjax.build_scan(search, patchset)
        >>> len(batch), batch.names, batch.failures
        (2, ('mass_1', 'mass_4'), {})
    """
    check_precision()
    check_kind("the workspace", workspace, Workspace, AS_LOADED)
    remedy = "PatchSet.load reads a file, PatchSet.parse takes a document"
    check_kind("the patchset", patchset, PatchSet, remedy)
    workspace.measurement(measurement)
    chosen = list(patchset) if names is None else [patchset[name] for name in names]
    members, failures = [], {}
    for patch in chosen:
        try:
            members.append(_member(workspace, patch, measurement, poi))
        except HfjaxError as error:
            failures[patch.name] = str(error)
    members, refused = _testable(members, poi)
    failures |= {name: str(error) for name, error in refused.items()}
    return ScanBatch(
        labels=patchset.labels,
        order=tuple((patch.name, patch.values) for patch in chosen),
        groups=tuple(build_group(group, settings) for group in compatible(members)),
        failures={p.name: failures[p.name] for p in chosen if p.name in failures},
    )


def _member(
    workspace: Workspace, patch: Patch, measurement: str | int | None, poi: str | None
) -> SignalPoint:
    """Apply a patch and check that the result is a model."""
    patched = patch.apply(workspace)
    chosen = patched.measurement(measurement)
    groups, derived = model_parameters(patched, chosen)
    fill_parameters(make_layout(channel_bins(patched), groups))
    if poi is None:
        poi = parameter_of_interest(groups, chosen, workspace)
    announced = chosen.poi or None
    return SignalPoint(
        patch.name, patch.values, patched, groups, poi, derived, announced
    )


def _testable(
    members: Sequence[SignalPoint], asked: str | None
) -> tuple[list[SignalPoint], dict[str, HfjaxError]]:
    """Tell the points whose parameter of interest can be tested from the others.

    Raises:
        HfjaxError: none has the parameter of interest that is asked for, or in none
            of them it can be tested.
    """
    testable, refused = [], {}
    for member in members:
        try:
            _check_poi(member, asked)
            testable.append(member)
        except HfjaxError as error:
            refused[member.name] = error
    if asked is not None and refused and not testable:
        # that some have it, and why it cannot be tested there, tells more
        raise min(refused.values(), key=lambda why: isinstance(why, UnknownNameError))
    return testable, refused


def _check_poi(member: SignalPoint, asked: str | None) -> None:
    """Refuse a point whose parameter of interest cannot be tested."""
    poi, groups = member.poi, {group.name: group for group in member.groups}
    if poi is None or (asked is None and poi not in groups):
        raise missing_poi(poi)
    if any(poi == each.name for each in member.derived):
        raise derived_poi(poi)
    whole = poi.partition("[")[0]
    if poi not in groups and whole in groups and not groups[whole].scalar:
        message = (
            f"a scan tests no single component such as {poi!r}: test the points one by "
            "one (`hfjax cls --poi`, in Python `Model.with_poi`)"
        )
        raise ModelError(message)
    if poi not in groups:
        single = [name for name, group in groups.items() if group.size == 1]
        error = unknown_name("parameter", poi, single, "the model")
        raise error
    if groups[poi].size > 1:
        raise several_components(poi, groups[poi].size)
    if groups[poi].fixed[0]:
        raise fixed_poi(poi)


def compatible(members: Sequence[SignalPoint]) -> list[list[SignalPoint]]:
    """Group points in which every name means the same kind of thing."""
    groups: list[tuple[dict[str, Any], list[SignalPoint]]] = []
    for member in members:
        meaning = _meaning(member)
        for known, group in groups:
            if all(known.get(key, value) == value for key, value in meaning.items()):
                known.update(meaning)
                group.append(member)
                break
        else:
            groups.append((meaning, [member]))
    return [group for _, group in groups]


def _meaning(member: SignalPoint) -> dict[str, Any]:
    """What must not differ between points of one batch, by name."""
    kinds: dict[str, Any] = {
        f"parameter {g.name}": (g.scalar, g.constraint, g.kind == "shapefactor")
        for g in member.groups
    }
    kinds |= {f"parameter {d.name}": d.expression.tree for d in member.derived}
    bins = channel_bins(member.workspace)
    return kinds | {f"channel {name}": width for name, width in bins.items()}


def build_group(members: Sequence[SignalPoint], settings: ModelSettings) -> ScanGroup:
    """Stack points of one shape into a batched model."""
    layout = union_layout(members)
    common = common_samples(members)
    own = [own_samples(member, common) for member in members]
    shape = union_shape([block_shape(placed) for placed in own])
    behind = block_shape(common)
    behind, shape = matched(behind, shape), matched(shape, behind)
    background = fill_block(common, layout, settings, behind)
    signals = signal_names([rows_of(each) for each in own], shape.samples)
    samples = (*rows_of(common), *signals)
    points: list[tuple[Model, Data]] = []
    for member, placed in zip(members, own, strict=True):
        mine, present = own_layout(member, layout)
        signal = fill_block(placed, mine, settings, shape)
        names = Names(poi=member.poi, announced=member.announced, samples=samples)
        block = join_blocks(background, signal)
        model = masked(assemble(block, mine, settings, names), member, mine, present)
        data = observed(member.workspace, mine)
        points.append((dataclasses.replace(model, block=signal), data))
    room = max(model.crossings.index.size for model, _ in points)
    points = [(with_crossings(model, room), data) for model, data in points]
    room = max(model.lopsided.index.size for model, _ in points)
    points = [(with_lopsided(model, room), data) for model, data in points]
    rooms = (room_of(model.surges) for model, _ in points)
    surges, factors = map(max, zip(*rooms, strict=True))
    points = [(with_surges(model, (surges, factors)), data) for model, data in points]
    models = with_local([model for model, _ in points])
    points = [(model, data) for model, (_, data) in zip(models, points, strict=True)]
    return split(members, background, points)


def common_samples(members: Sequence[SignalPoint]) -> list[PlacedSample]:
    """Samples that every point has, and has unchanged, in rows by name."""
    first, *others = (_samples(member) for member in members)
    same = [
        key
        for key, sample in first.items()
        if all(other.get(key) is sample for other in others)
    ]
    rows = sorted({name for _, name in same})
    return [
        PlacedSample(rows.index(name), channel, first[channel, name])
        for channel, name in same
    ]


def own_samples(
    member: SignalPoint, common: Sequence[PlacedSample]
) -> list[PlacedSample]:
    """Samples that a point does not share with all others, in rows by name."""
    shared = {(channel, sample.name) for _, channel, sample in common}
    own = {k: s for k, s in _samples(member).items() if k not in shared}
    rows = sorted({name for _, name in own})
    return [
        PlacedSample(rows.index(name), channel, s) for (channel, name), s in own.items()
    ]


def rows_of(placed: Sequence[PlacedSample]) -> list[str]:
    """Names of samples, in the order of their rows."""
    names = {each.row: each.sample.name for each in placed}
    return [names[row] for row in sorted(names)]


def signal_names(own: Sequence[Sequence[str]], rows: int) -> list[str]:
    """What to call the rows of samples that points do not share.

    Their own name where it is that of all points, otherwise ``signal``.

    Example:
        >>> signal_names([["m_300"], ["m_400"]], 1), signal_names([["s", "t"]] * 2, 2)
        (['signal'], ['s', 't'])
    """
    first, *others = own
    if all(each == first for each in others):
        return list(first)
    return ["signal"] if rows == 1 else [f"signal[{row}]" for row in range(rows)]


def _samples(member: SignalPoint) -> dict[tuple[str, str], Sample]:
    channels = member.workspace.channels
    return {(c.name, s.name): s for c in channels for s in c.samples}


def union_shape(shapes: Sequence[BlockShape]) -> BlockShape:
    """Smallest shape that holds all."""
    return BlockShape(
        samples=max(shape.samples for shape in shapes),
        histosys=tuple(sorted({n for shape in shapes for n in shape.histosys})),
        normsys=tuple(sorted({n for shape in shapes for n in shape.normsys})),
        normsys_slots=max(shape.normsys_slots for shape in shapes),
        variations=max(shape.variations for shape in shapes),
        scaling_slots=max(shape.scaling_slots for shape in shapes),
    )


def matched(shape: BlockShape, other: BlockShape) -> BlockShape:
    """A shape with the modifiers and slots of another as well: the two can be joined.

    Example:
        >>> one = BlockShape(1, ("a",), (), 0, 0, 2)
        >>> matched(one, BlockShape(3, ("b",), ("c",), 1, 4, 1))
        BlockShape(samples=1, histosys=('a', 'b'), normsys=('c',), normsys_slots=1, \
variations=0, scaling_slots=2)
    """
    both = union_shape([shape, other])
    own = {"samples": shape.samples, "variations": shape.variations}
    return dataclasses.replace(both, **own)


def masked(
    model: Model, member: SignalPoint, layout: Layout, present: np.ndarray
) -> Model:
    """Mask the bins and constraint terms that a point does not have."""
    bins = channel_bins(member.workspace)
    widths = [width for _, width in layout.channels.values()]
    gaussian, poisson, lognormal = (
        dataclasses.replace(terms, present=present[terms.index])
        for terms in (model.gaussian, model.poisson, model.lognormal)
    )
    return dataclasses.replace(
        model,
        bin_present=np.repeat([name in bins for name in layout.channels], widths),
        gaussian=gaussian,
        poisson=poisson,
        lognormal=lognormal,
    )


def with_crossings(model: Model, number: int) -> Model:
    """Pad the crossings to the same number for every point."""
    own = model.crossings
    room, behind = number - own.index.size, model.parameters.init.size
    index = np.concatenate([own.index, np.full(room, behind, np.int32)])
    value = np.concatenate([own.value, np.zeros(room)])
    return dataclasses.replace(model, crossings=Crossings(index, value))


def with_lopsided(model: Model, number: int) -> Model:
    """Pad the lopsided parameters to the same number for every point."""
    own = padded(model.lopsided, number, model.parameters.init.size)
    return dataclasses.replace(model, lopsided=own)


def with_surges(model: Model, room: tuple[int, int]) -> Model:
    """Pad the surges and their factors to the same numbers for every point."""
    own = padded_surges(model.surges, room, model.parameters.init.size)
    return dataclasses.replace(model, surges=own)


def with_local(models: Sequence[Model]) -> list[Model]:
    """Pad the parameters of one bin alike; no point has any where one has none."""
    known = [model.local for model in models if model.local is not None]
    if len(known) < len(models):
        return [dataclasses.replace(model, local=None) for model in models]
    room = (
        max(each.index.shape[0] for each in known),
        max(each.others.size for each in known),
    )
    return [
        dataclasses.replace(m, local=padded_local(own, room, m.parameters.init.size))
        for m, own in zip(models, known, strict=True)
    ]


def split(
    members: Sequence[SignalPoint],
    background: SampleBlock,
    points: Sequence[tuple[Model, Data]],
) -> ScanGroup:
    """Keep once what all points share, and stack the rest."""
    bare = [(model.anonymous(), data.anonymous()) for model, data in points]
    leaves = [jax.tree.leaves(point) for point in bare]
    tree = jax.tree.structure(bare[0])
    shared, stacked = [], []
    for column in zip(*leaves, strict=True):
        same = all(np.array_equal(column[0], other) for other in column[1:])
        shared.append(column[0] if same else None)
        stacked.append(None if same else np.stack(column))
    first = points[0][0]
    block = join_blocks(background, first.block)
    return ScanGroup(
        members=tuple(members),
        lanes=Lanes(
            background=to_device(background),
            shared=to_device(jax.tree.unflatten(tree, shared)),
            stacked=to_device(jax.tree.unflatten(tree, stacked)),
        ),
        template=dataclasses.replace(first, block=block),
    )

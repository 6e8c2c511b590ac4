"""From a patchset to one batched model.

All points of a scan share the arrays of the background; only what patches bring is
stacked. Parameters are aligned by name: the union over all points is laid out once, and
what a point lacks is fixed and masked, so that it changes nothing.
"""

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np

from hfjax.building.align import PatchedPoint, own_layout, union_layout
from hfjax.building.build import (
    AS_LOADED,
    assemble,
    observed,
    to_device,
)
from hfjax.building.fill import BlockShape, PlacedSample, block_shape, fill_block
from hfjax.building.layout import channel_bins
from hfjax.building.local import padded_local
from hfjax.building.lopsided import padded
from hfjax.building.patched import Search, compatible, patched_point, testable
from hfjax.building.points import Lanes, ScanBatch, ScanGroup
from hfjax.building.surges import padded_surges, room_of
from hfjax.documents.parameters.background import background_of
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.reading.garbage import no_collections
from hfjax.documents.workspace.workspace import Sample, Workspace
from hfjax.errors import (
    HfjaxError,
    check_kind,
)
from hfjax.model.data import Data
from hfjax.model.local_parameters import LocalParameters
from hfjax.model.model import Model
from hfjax.model.names import Names
from hfjax.model.sample_block import SampleBlock, join_blocks
from hfjax.model.settings import ModelSettings, check_precision
from hfjax.model.valley_sources import Crossings


@no_collections()
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
    search = Search(workspace, measurement, poi, background_of(workspace))
    for patch in chosen:
        try:
            members.append(patched_point(search, patch))
        except HfjaxError as error:
            failures[patch.name] = str(error)
    members, refused = testable(members, poi)
    failures |= {name: str(error) for name, error in refused.items()}
    return ScanBatch(
        labels=patchset.labels,
        order=tuple((patch.name, patch.values) for patch in chosen),
        groups=tuple(build_group(group, settings) for group in compatible(members)),
        failures={p.name: failures[p.name] for p in chosen if p.name in failures},
    )


def build_group(members: Sequence[PatchedPoint], settings: ModelSettings) -> ScanGroup:
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
        names = Names(
            poi=member.point.poi, announced=member.point.announced, samples=samples
        )
        block = join_blocks(background, signal)
        model = assemble(block, mine, settings, names)
        data = observed(member.workspace, mine)
        points.append((masked(model, signal, member, present), data))
    models = padded_alike([model for model, _ in points])
    points = [(model, data) for model, (_, data) in zip(models, points, strict=True)]
    return split(members, background, points)


def common_samples(members: Sequence[PatchedPoint]) -> list[PlacedSample]:
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
    member: PatchedPoint, common: Sequence[PlacedSample]
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


def _samples(member: PatchedPoint) -> dict[tuple[str, str], Sample]:
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
    model: Model, signal: SampleBlock, member: PatchedPoint, present: np.ndarray
) -> Model:
    """Mask the bins and constraint terms that a point does not have.

    Args:
        model: of all samples.
        signal: the samples that are not in the background: all that are kept.
        member: the point.
        present: parameters that it has.
    """
    bins = channel_bins(member.workspace)
    gaussian, poisson, lognormal = (
        dataclasses.replace(terms, present=present[terms.index])
        for terms in (model.gaussian, model.poisson, model.lognormal)
    )
    has = np.array([name in bins for name in model.names.channels], bool)
    return dataclasses.replace(
        model,
        block=signal,
        bin_present=has[model.bin_channel],
        gaussian=gaussian,
        poisson=poisson,
        lognormal=lognormal,
    )


def padded_alike(models: Sequence[Model]) -> list[Model]:
    """Pad what may make valleys, and parameters of one bin, to the same numbers."""
    crossings = max(model.crossings.index.size for model in models)
    lopsided = max(model.lopsided.index.size for model in models)
    rooms = (room_of(model.surges) for model in models)
    surges, factors = map(max, zip(*rooms, strict=True))
    return [
        dataclasses.replace(
            model,
            crossings=_padded_crossings(model, crossings),
            lopsided=padded(model.lopsided, lopsided, model.parameters.init.size),
            surges=padded_surges(
                model.surges, (surges, factors), model.parameters.init.size
            ),
            local=local,
        )
        for model, local in zip(models, _padded_local(models), strict=True)
    ]


def _padded_crossings(model: Model, number: int) -> Crossings:
    own = model.crossings
    room, behind = number - own.index.size, model.parameters.init.size
    index = np.concatenate([own.index, np.full(room, behind, np.int32)])
    return Crossings(index, np.concatenate([own.value, np.zeros(room)]))


def _padded_local(models: Sequence[Model]) -> list[LocalParameters | None]:
    """Parameters of one bin; no point has any where one has none."""
    known = [model.local for model in models if model.local is not None]
    if len(known) < len(models):
        return [None] * len(models)
    slots = max(each.index.shape[0] for each in known)
    room = slots, max(each.others.size for each in known)
    sizes = [model.parameters.init.size for model in models]
    return [
        padded_local(own, room, size) for own, size in zip(known, sizes, strict=True)
    ]


def split(
    members: Sequence[PatchedPoint],
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
        members=tuple([member.point for member in members]),
        lanes=Lanes(
            background=to_device(background),
            shared=to_device(jax.tree.unflatten(tree, shared)),
            stacked=to_device(jax.tree.unflatten(tree, stacked)),
        ),
        template=dataclasses.replace(first, block=block),
    )

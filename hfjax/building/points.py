"""All points of a scan as batched models, and functions of every one of them."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import ScalarInt
from hfjax.building.align import SignalPoint
from hfjax.errors import ModelError
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.sample_block import SampleBlock, join_blocks

Result = TypeVar("Result")
PointFunction = Callable[[Model, Data], Result]


class Lanes(NamedTuple):
    """Models and data of many points, the arrays that all share only once.

    Attributes:
        background: samples that all points share.
        shared: model and data with the leaves that all points share, else None; its
            samples are those that are not in the background.
        stacked: the other leaves, points on the first axis, else None.
    """

    background: SampleBlock
    shared: tuple[Model, Data]
    stacked: tuple[Model, Data]


def lane(lanes: Lanes, index: int | ScalarInt) -> tuple[Model, Data]:
    """Model and data of one point, without names."""
    own = jax.tree.map(lambda leaf: leaf[index], lanes.stacked)
    model, data = eqx.combine(lanes.shared, own)
    block = join_blocks(lanes.background, model.block)
    return dataclasses.replace(model, block=block), data


@dataclasses.dataclass(frozen=True)
class ScanGroup:
    """Points whose models have one shape.

    Attributes:
        members: the points.
        lanes: their models and data.
        template: the first model with its names, for messages and lookups.
    """

    members: tuple[SignalPoint, ...]
    lanes: Lanes
    template: Model

    def __repr__(self) -> str:
        """How many points there are, and the first and last of them."""
        first, last = self.members[0].name, self.members[-1].name
        return f"ScanGroup: {len(self.members)} points, {first} to {last}"

    def point(self, index: int) -> tuple[Model, Data]:
        """Model and data of one point, with their names."""
        model, data = lane(self.lanes, index)
        return self._with_names(model, data, self.members[index].poi)

    def first_point(self) -> "ScanGroup":
        """The first point alone, what all points share still shared."""
        stacked = jax.tree.map(lambda leaf: leaf[:1], self.lanes.stacked)
        lanes = self.lanes._replace(stacked=stacked)
        return dataclasses.replace(self, members=self.members[:1], lanes=lanes)

    def vmap(self, function: PointFunction[Result]) -> Result:
        """A function of every point, points on the first axis; see `ScanBatch.vmap`."""
        known = {member.poi for member in self.members}
        poi = known.pop() if len(known) == 1 else None

        def one(index: ScalarInt) -> Result:
            return function(*self._with_names(*lane(self.lanes, index), poi))

        return jax.vmap(one)(jnp.arange(len(self.members)))

    def _with_names(
        self, model: Model, data: Data, poi: str | None
    ) -> tuple[Model, Data]:
        known = self.template
        names = dataclasses.replace(known.names, poi=poi)
        own = dataclasses.replace(model.parameters, sets=known.parameters.sets)
        model = dataclasses.replace(model, names=names, parameters=own)
        return model, model.named(data)


@dataclasses.dataclass(frozen=True)
class ScanBatch:
    """All points of a scan, ready to be fitted.

    Attributes:
        labels: what the values of a point stand for.
        order: names and values of all points, as in the patchset.
        groups: the points that have a model, batched.
        failures: what is wrong with the others, by name.
    """

    labels: tuple[str, ...]
    order: tuple[tuple[str, tuple[Any, ...]], ...]
    groups: tuple[ScanGroup, ...]
    failures: dict[str, str]

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        """How many points there are, how they are grouped, and what failed."""
        sizes = ", ".join(str(len(group.members)) for group in self.groups)
        return (
            f"ScanBatch: {len(self)} points, labels {', '.join(self.labels)}\n"
            f"  points of one shape: {sizes or 'none'}; without a model: "
            f"{len(self.failures)}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the points that have a model, in the order of the patchset."""
        found = {member.name for group in self.groups for member in group.members}
        return tuple(name for name, _ in self.order if name in found)

    def first_points(self) -> "ScanBatch":
        """The first point of each shape: a scan of them needs the programs of all.

        Example:
            >>> import hfjax
            >>> top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
            >>> search = hfjax.workspace([top], {"SR": [8]}, poi="mu")
            >>> signals = [
            ...     {"values": {"mass": mass}, "channels": {"SR": [8 / mass]}}
            ...     for mass in (2, 4)
            ... ]
            >>> batch = hfjax.build_scan(search, hfjax.make_patchset(search, signals))
            >>> batch.first_points().names
            ('mass_2',)
        """
        groups = tuple(group.first_point() for group in self.groups)
        order = tuple((m.name, tuple(m.values)) for g in groups for m in g.members)
        return dataclasses.replace(self, order=order, groups=groups, failures={})

    def vmap(self, function: PointFunction[Result]) -> Result:
        """A function of the model and data of every point that has a model.

        The background's arrays are there once, whatever the number of points. Parameter
        sets are the union of those of all points of one shape, those that a point lacks
        are fixed; `model.parameters.pack` puts values at their places by name.

        Args:
            function: pure, of a model and its data; its results are arrays, in any
                pytree, of one shape for all points.

        Returns:
            Its results, points on the first axis, in the order of `names`.

        Raises:
            ModelError: no point has a model; or the results have other shapes for some
                points.

        Example:
            >>> import hfjax
            >>> top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
            >>> search = hfjax.workspace([top], {"SR": [8]}, poi="mu")
            >>> signals = [
            ...     {"values": {"mass": mass}, "channels": {"SR": [8 / mass]}}
            ...     for mass in (2, 4)
            ... ]
            >>> batch = hfjax.build_scan(search, hfjax.make_patchset(search, signals))
            >>> rates = batch.vmap(lambda model, data: model.expected_data(
            ...     model.parameters.pack({"mu": 0.5})).main)
            >>> batch.names, rates.tolist()
            (('mass_2', 'mass_4'), [[11.0], [10.0]])
        """
        if not self.groups:
            message = "no point of the scan has a model: see its `failures`"
            raise ModelError(message)
        found = [group.vmap(function) for group in self.groups]
        done = [member.name for group in self.groups for member in group.members]
        order = np.array([done.index(name) for name in self.names])

        def joined(*parts: Any) -> Any:
            shapes = {jnp.shape(part)[1:] for part in parts}
            if len(shapes) > 1:
                message = (
                    f"results of the shapes {sorted(shapes)} for points of different "
                    "shapes: let the function return the same for all, or take the "
                    "`groups` one by one"
                )
                raise ModelError(message)
            return jnp.concatenate(parts)[order]

        return jax.tree.map(joined, *found)

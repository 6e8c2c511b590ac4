"""Whether the points of a scan can have the tested value of their parameter."""

import dataclasses
from collections.abc import Iterator, Sequence

import equinox as eqx
import numpy as np

from hfjax.building.points import ScanGroup
from hfjax.errors import ParameterError
from hfjax.inference.hypotest import check_poi_values
from hfjax.inference.test_statistics import TestStatistic
from hfjax.model.model import Model


def out_of_bounds(
    groups: Sequence[ScanGroup], test_stat: TestStatistic, poi_value: float
) -> dict[str, str]:
    """Find the points in which a test would hold its parameter out of its bounds.

    Args:
        groups: the points; each has bounds of its own.
        test_stat: the test statistic, which compares with another value.
        poi_value: the tested value.

    Returns:
        What is wrong with them, by name.
    """
    problems = {}
    for group in groups:
        for name, model in own_bounds(group):
            try:
                check_poi_values(model, test_stat, poi_value)
            except ParameterError as error:
                problems[name] = str(error)
    return problems


def own_bounds(group: ScanGroup) -> Iterator[tuple[str, Model]]:
    """Yield the points' names, and the group's template with their own bounds."""
    whole, _ = eqx.combine(group.lanes.shared, group.lanes.stacked)
    template, number = group.template, len(group.members)
    shape = (number, template.parameters.init.size)
    bounds = whole.parameters.lower, whole.parameters.upper
    lower, upper = (np.broadcast_to(np.asarray(each), shape) for each in bounds)
    for i, member in enumerate(group.members):
        own = dataclasses.replace(template.parameters, lower=lower[i], upper=upper[i])
        model = dataclasses.replace(template, parameters=own)
        yield member.name, model.with_poi(member.poi) if member.poi else model

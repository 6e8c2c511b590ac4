"""Domains, parameter points and analyses: what HS3 says about parameters."""

import math

from hfjax.documents.convert.hs3.columns import Column
from hfjax.documents.convert.hs3.write_terms import Component
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace

DEFAULT_DOMAIN = "default_domain"
"""The domain that ROOT takes bounds from where an analysis has none."""

DEFAULT_VALUES = "default_values"
"""The parameter point that ROOT takes initial values from."""

Bounds = tuple[Number, Number]
Constants = list[dict[str, Number]]


def domains(
    workspace: Workspace, found: dict[str, Column], constants: Constants
) -> list[Component]:
    """Bounds of all parameters, for ROOT and for each analysis."""
    written = []
    for index, measurement in enumerate(workspace.measurements):
        bounds = _bounds(found, index) | _absent_poi(measurement, found)
        poi = poi_name(measurement, found)
        data = {name: _room(value) for name, value in constants[index].items()}
        parts = {
            "parameters_of_interest": {k: v for k, v in bounds.items() if k == poi},
            "nuisance_parameters": {k: v for k, v in bounds.items() if k != poi},
            "global_observables": {k: v for k, v in data.items() if k[:3] == "nom"},
        }
        if index == 0:
            written.append(
                _domain(DEFAULT_DOMAIN, bounds | parts["global_observables"])
            )
        names = domain_names(measurement, found)
        written += [
            _domain(names[part], parts[part]) for part in parts if part in names
        ]
    return written


def domain_names(measurement: Measurement, found: dict[str, Column]) -> dict[str, str]:
    """The names of the domains of an analysis, by what is in them."""
    parts = ["nuisance_parameters", "global_observables"]
    if poi_name(measurement, found):
        parts.insert(0, "parameters_of_interest")
    return {part: f"{measurement.name}_{part}" for part in parts}


def parameter_points(
    workspace: Workspace, found: dict[str, Column], constants: Constants
) -> list[Component]:
    """Initial values and constants: for ROOT, and for each analysis if several."""
    names = [DEFAULT_VALUES]
    if len(workspace.measurements) > 1:
        names += [f"{each.name}_init" for each in workspace.measurements]
    points = []
    for name, index in zip(names, [0, *range(len(names) - 1)], strict=True):
        values = _values(found, index)
        values += _absent_value(workspace.measurements[index], found)
        values += [_value(key, x, True) for key, x in constants[index].items()]
        points.append({"name": name, "parameters": values})
    return points


def analyses(
    workspace: Workspace, found: dict[str, Column], likelihood: str
) -> list[Component]:
    """One analysis for each measurement."""
    several = len(workspace.measurements) > 1
    written = []
    for measurement in workspace.measurements:
        poi = poi_name(measurement, found)
        document = {
            "name": measurement.name,
            "likelihood": likelihood,
            "parameters_of_interest": [poi] if poi else [],
            "domains": [*domain_names(measurement, found).values()],
            "init": f"{measurement.name}_init" if several else DEFAULT_VALUES,
        }
        written.append(document)
    return written


def poi_name(measurement: Measurement, found: dict[str, Column]) -> str:
    """What HS3 calls the parameter of interest; patches may bring it."""
    column = found.get(measurement.poi)
    return column.names[0] if column else measurement.poi


def _bounds(found: dict[str, Column], index: int) -> dict[str, Bounds]:
    return {
        name: bounds
        for column in found.values()
        for name, bounds in zip(column.names, column.groups[index].bounds, strict=True)
    }


def _absent_poi(
    measurement: Measurement, found: dict[str, Column]
) -> dict[str, Bounds]:
    """Bounds of a parameter of interest that the patches will bring."""
    if not measurement.poi or measurement.poi in found:
        return {}
    config = measurement.parameter(measurement.poi) or ParameterConfig("")
    low, high = (config.bounds or ((0.0, 10.0),))[0]
    return {measurement.poi: (low, high)}


def _absent_value(
    measurement: Measurement, found: dict[str, Column]
) -> list[Component]:
    if not measurement.poi or measurement.poi in found:
        return []
    config = measurement.parameter(measurement.poi) or ParameterConfig("")
    value = (config.inits or (1.0,))[0]
    return [_value(measurement.poi, value, bool(config.fixed))]


def _values(found: dict[str, Column], index: int) -> list[Component]:
    groups = [(column.names, column.groups[index]) for column in found.values()]
    return [
        _value(*each)
        for names, group in groups
        for each in zip(names, group.inits, group.fixed, strict=True)
    ]


def _value(name: str, value: Number, const: bool) -> Component:
    document: Component = {"name": name, "value": value}
    return document | {"const": True} if const else document


def _room(value: Number) -> Bounds:
    """Bounds of an auxiliary datum, which toys draw."""
    return (min(-10.0, 10.0 * value), max(10.0, 10.0 * value))


def _domain(name: str, bounds: dict[str, Bounds]) -> Component:
    axes = [_axis(key, *pair) for key, pair in bounds.items()]
    return {"name": name, "type": "product_domain", "axes": axes}


def _axis(name: str, low: Number, high: Number) -> Component:
    """The bounds of one parameter; infinite ones are left out."""
    ends = {"min": low, "max": high}
    return {"name": name} | {k: v for k, v in ends.items() if math.isfinite(v)}

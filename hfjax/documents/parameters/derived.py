"""Derived parameters: normfactors that expressions of other parameters give.

A derived parameter is in no fit and no parameter vector. What its expression needs are
parameters that modifiers bring, derived ones, or free ones that nothing but expressions
use: those need an entry in the measurement.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.reading.expression import Expression
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.expression import evaluation_order
from hfjax.documents.workspace.measurement import Measurement
from hfjax.errors import ModelError, unknown_name


class Derived(NamedTuple):
    """A parameter that an expression gives."""

    name: str
    expression: Expression


def derived_parameters(
    measurement: Measurement, groups: Mapping[str, ParameterGroup]
) -> tuple[Derived, ...]:
    """List the parameters that expressions give, each after those it is made of.

    An expression of a parameter that neither modifiers nor other expressions use is
    left out: patches may bring the modifiers.

    Args:
        measurement: its settings of parameters have the expressions.
        groups: the parameters that modifiers ask for, by name.

    Raises:
        ModelError: an expression is not of a normfactor, or needs what does not exist
            or is no single number.

    >>> from hfjax.documents.workspace.measurement import ParameterConfig
    >>> free = ((0.0, 10.0),)
    >>> groups = {
    ...     name: ParameterGroup(name, "normfactor", True, (1.0,), free, (False,))
    ...     for name in ("mu", "k")
    ... }
    >>> config = ParameterConfig("k", expression="mu**2")
    >>> [found.name for found in derived_parameters(
    ...     Measurement("search", "mu", (config,)), groups)]
    ['k']
    """
    for _, message in expression_problems(measurement, groups):
        raise ModelError(message)
    found = used_expressions(measurement, groups)
    return tuple(Derived(name, found[name]) for name in evaluation_order(found))


def expression_problems(
    measurement: Measurement, groups: Mapping[str, ParameterGroup]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with expressions: the parameter each gives, and the words.

    Args:
        measurement: its settings of parameters have the expressions.
        groups: the parameters that modifiers ask for, by name.
    """
    stated = {config.name for config in measurement.parameters}
    known = {*groups, *stated}
    for name, expression in used_expressions(measurement, groups).items():
        label = f"the expression {expression.text!r} of parameter {name!r}"
        kind = groups[name].kind if name in groups else "normfactor"
        if kind != "normfactor":
            yield name, f"{label} is not of a normfactor but of a {kind}: remove it"
        for needed in expression.names:
            if needed not in known:
                error = unknown_name("parameter", needed, sorted(known - {name}))
                yield (
                    name,
                    f"{label} cannot be computed: {error} (a parameter that only "
                    "expressions use needs an entry in the measurement)",
                )
            elif needed in groups and not groups[needed].scalar:
                yield (
                    name,
                    f"{label} needs {needed!r}, a {groups[needed].kind} with a "
                    "parameter for each bin: only single parameters can be in it",
                )


def used_expressions(
    measurement: Measurement, modifiers: Collection[str]
) -> dict[str, Expression]:
    """Return the expressions that modifiers use, by themselves or through others.

    Args:
        measurement: its settings of parameters have the expressions.
        modifiers: names of all modifiers.
    """
    expressions = measurement.expressions
    used: dict[str, Expression] = {}
    waiting = [name for name in expressions if name in modifiers]
    while waiting:
        name = waiting.pop()
        if name in expressions and name not in used:
            used[name] = expressions[name]
            waiting += used[name].names
    return {name: used[name] for name in expressions if name in used}


def names_in_expressions(measurements: Iterable[Measurement]) -> frozenset[str]:
    """Return the names that any expression of some measurements needs.

    >>> from hfjax.documents.workspace.measurement import ParameterConfig
    >>> config = ParameterConfig("k", expression="mu * (1 - f)")
    >>> sorted(names_in_expressions([Measurement("search", "mu", (config,))]))
    ['f', 'mu']
    """
    return frozenset(
        name
        for measurement in measurements
        for expression in measurement.expressions.values()
        for name in expression.names
    )


def brought_parameters(
    derived: Collection[Derived], groups: Mapping[str, ParameterGroup]
) -> tuple[str, ...]:
    """Return the names of free parameters that nothing but expressions use.

    Args:
        derived: parameters that expressions give.
        groups: the parameters that modifiers ask for, by name.
    """
    needed = [name for each in derived for name in each.expression.names]
    given = {each.name for each in derived}
    found = (name for name in needed if name not in groups and name not in given)
    return tuple(dict.fromkeys(found))


def unknown_in_expressions(
    measurement: Measurement, modifiers: Collection[str]
) -> frozenset[tuple[str, str]]:
    """Return what expressions need and neither modifiers nor settings bring.

    Args:
        measurement: its settings of parameters have the expressions.
        modifiers: names of all modifiers.

    Returns:
        Pairs of the parameter that an expression gives, and the name that it misses.
    """
    known = {*modifiers, *(config.name for config in measurement.parameters)}
    return frozenset(
        (name, needed)
        for name, expression in used_expressions(measurement, modifiers).items()
        for needed in expression.names
        if needed not in known
    )


def starting_values(
    derived: Collection[Derived], groups: Collection[ParameterGroup]
) -> dict[str, Number]:
    """Return the values of single parameters where fits start, derived ones as well.

    NaN is the value of an expression that has none which is finite.
    """
    values = {group.name: group.inits[0] for group in groups if group.scalar}
    for name, expression in derived:
        values[name] = expression.value(values)
    return values


def starting_problems(
    derived: Collection[Derived], groups: Collection[ParameterGroup]
) -> Iterator[tuple[str, str]]:
    """Yield expressions without a finite value where fits start, as problems."""
    values = starting_values(derived, groups)
    for name, expression in derived:
        if math.isnan(values[name]):
            where = ", ".join(f"{key} = {values[key]:g}" for key in expression.names)
            message = (
                f"the expression {expression.text!r} of parameter {name!r} has no "
                f"finite value where fits start, at {where}: give other inits in the "
                "measurement"
            )
            yield name, message

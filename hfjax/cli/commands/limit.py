"""The command limit: upper limits on the parameter of interest."""

import functools
import operator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.opening import Opened, opened, tell_constraint
from hfjax.cli.commands.toy_test import Calculator, CalculatorOption, ToyOptions
from hfjax.cli.options import (
    Expected,
    ExpectedOption,
    FitOptions,
    HoldOption,
    OutputOption,
    POIOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    number,
    takes,
)
from hfjax.cli.runtime import NOT_CONVERGED
from hfjax.cli.streams import FIRST_STAGE, complain, progress_bar
from hfjax.cli.tables import JsonOption, write_result
from hfjax.tables.limits import limit_parts, toy_limit_parts


class LimitStat(StrEnum):
    """Test statistics that set upper limits."""

    QTILDE = "qtilde"
    Q = "q"


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """Options of `hfjax limit`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    poi: POIOption = None
    level: Annotated[
        float,
        typer.Option(help="CLs at the limit: 0.05 excludes at 95 % confidence level."),
    ] = 0.05
    values: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:LAST:COUNT",
            help="Values to test instead of a search, such as 0:5:51 for 0, 0.1, ... "
            "5, or a list such as 0.5,1,2; limits are interpolated between them.",
        ),
    ] = None
    test_stat: Annotated[LimitStat, typer.Option(help="Test statistic.")] = (
        LimitStat.QTILDE
    )
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="CLs of 31 values up to one and a half times the largest limit too, "
            "for the picture that 'hfjax plot' draws.",
        ),
    ] = False
    calculator: CalculatorOption = Calculator.ASYMPTOTICS
    toys: ToyOptions
    expected: ExpectedOption = Expected.OBSERVED_PROFILE
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(LimitOptions)
def limit(options: LimitOptions) -> None:
    """Find upper limits: the values at which CLs is 0.05.

    Observed, and expected at -2 to +2 standard deviations of the background;
    beyond the upper bound of the parameter if need be. A table on a terminal;
    JSON with --json, in a pipe or in a file:

    hfjax limit BkgOnly.json --patchset patchset.json --name m_600_240
    hfjax limit workspace.json --level 0.1 --curve -o limit.json
    hfjax limit workspace.json --values 0:5:51
    hfjax limit workspace.json --calculator toys --toys 5000 --seed 1
    """
    if options.calculator is not Calculator.ASYMPTOTICS:
        _limit_by_toys(options)
        return
    options.toys.refuse()
    values = None if options.values is None else given_values(options.values)
    at = opened("limit", options, options.poi, options.expected)
    asked = {"level": options.level, "test_stat": options.test_stat.value}
    result = _found(at, options, values)
    document = result.to_dict()
    tell_constraint(at.model, options.poi, options.fit.quiet)
    told = {"poi": options.poi, **asked, "values": options.values}
    told |= {"expected": options.expected.value}
    document |= at.provenance(told | options.fit.settings)
    parts = functools.partial(limit_parts, what=_what(at, options))
    write_result(document, options.output, options.as_json, parts)
    if not result.converged:
        complain(document["message"])
    if result.curve is not None and not result.curve.converged:
        complain(f"curve: {result.curve.message}")
    if hfjax.LimitStatus.FITS_FAILED in result.statuses:
        raise typer.Exit(NOT_CONVERGED)


def _what(at: Opened, options: LimitOptions) -> str:
    """What the limits are on, in a few words."""
    return f"upper limits on {at.model.poi_name} at {1 - options.level:.4g} confidence"


def _limit_by_toys(options: LimitOptions) -> None:
    """Find limits by toys, and show on a terminal how many of them are done.

    Raises:
        typer.BadParameter: An option has no meaning for toys.
        typer.Exit: Fits did not converge.
    """
    _refuse_for_toys(options)
    at, toys = opened("limit", options, options.poi), options.toys
    asked = {"level": options.level, "test_stat": options.test_stat.value}
    with progress_bar(toys.number, options.fit.quiet, (FIRST_STAGE, "toys")) as tell:
        settings = toys.settings(asked["test_stat"], at.settings, progress=tell)
        result = hfjax.toy_limit(
            *(at.model, at.data, toys.number, toys.key, settings), level=options.level
        )
    document = result.to_dict()
    tell_constraint(at.model, options.poi, options.fit.quiet)
    told = {"poi": options.poi, **asked, "calculator": "toys"}
    document |= at.provenance(told | options.fit.settings)
    parts = functools.partial(toy_limit_parts, what=f"{_what(at, options)}, by toys")
    write_result(document, options.output, options.as_json, parts)
    if result.message:
        complain(result.message)
    failed = hfjax.LimitStatus.FITS_FAILED in result.statuses
    if failed or any(document["curve"]["lost"]):
        raise typer.Exit(NOT_CONVERGED)


def _refuse_for_toys(options: LimitOptions) -> None:
    """Refuse options that have no meaning for toys.

    Raises:
        typer.BadParameter: Names one.
    """
    why = {
        "--values": (options.values is not None, "toys find the values themselves"),
        "--curve": (options.curve, "limits by toys always have it"),
        "--expected": (
            options.expected is Expected.NOMINAL,
            "toys have no Asimov data",
        ),
    }
    for name, (given, reason) in why.items():
        if given:
            message = f"{reason}: leave out this, or --calculator toys"
            raise typer.BadParameter(message, param_hint=name)


def _found(at: Opened, options: LimitOptions, values: list[float] | None) -> Any:
    """Limits between given values, or searched for, with a curve if one is wanted."""
    level, statistic = options.level, options.test_stat.value
    asked = {"test_stat": statistic, "settings": at.settings}
    if values is not None:
        return hfjax.interpolated_limits(
            at.model, at.data, values, level=level, **asked
        )
    result = hfjax.upper_limit(at.model, at.data, level=level, **asked)
    if not options.curve:
        return result
    curve = hfjax.limit_curve(at.model, at.data, result.grid(), **asked)
    return result.with_curve(curve)


def given_values(text: str) -> list[float]:
    """Read the values to test: first, last and how many, or all with commas between.

    Raises:
        typer.BadParameter: They are neither, or do not ascend.

    Example:
        >>> given_values("0:1:5"), given_values("0.5,2")
        ([0.0, 0.25, 0.5, 0.75, 1.0], [0.5, 2.0])
    """
    first, *ends = text.split(":")
    try:
        if not ends:
            values = [number(each) for each in text.split(",")]
        else:
            last, count = number(ends[0]), int(ends[1])
            step = (last - number(first)) / (count - 1)
            values = [number(first) + step * i for i in range(count - 1)] + [last]
        if len(ends) in (0, 2) and all(map(operator.lt, values, values[1:])):
            return values
    except (typer.BadParameter, ValueError, ArithmeticError, IndexError):
        pass
    message = (
        f"'{text}' is not FIRST:LAST:COUNT, such as 0:5:51, and no list of ascending "
        "numbers such as 0.5,1,2"
    )
    raise typer.BadParameter(message, param_hint="--values")

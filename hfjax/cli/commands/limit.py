"""The command limit: upper limits on the parameter of interest."""

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

import hfjax
from hfjax.cli.commands.opening import opened, tell_constraint
from hfjax.cli.commands.result_tables import limit_parts
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    OutputOption,
    POIOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    takes,
)
from hfjax.cli.runtime import NOT_CONVERGED
from hfjax.cli.streams import complain
from hfjax.cli.tables import JsonOption, write_result


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
    """
    at = opened("limit", options, options.poi)
    asked = {"test_stat": options.test_stat.value, "settings": at.settings}
    result = hfjax.upper_limit(at.model, at.data, level=options.level, **asked)
    if options.curve:
        curve = hfjax.limit_curve(at.model, at.data, result.grid(), **asked)
        result = result.with_curve(curve)
    document = result.to_dict()
    tell_constraint(at.model, options.poi, options.fit.quiet)
    settings = {
        "poi": options.poi,
        "level": options.level,
        "test_stat": options.test_stat.value,
        **options.fit.settings,
    }
    document |= at.provenance(settings)
    what = f"upper limits on {at.model.poi_name} at {1 - options.level:.4g} confidence"
    parts = functools.partial(limit_parts, what=what)
    write_result(document, options.output, options.as_json, parts)
    if not result.converged:
        complain(document["message"])
    if result.curve is not None and not result.curve.converged:
        complain(f"curve: {result.curve.message}")
    if hfjax.LimitStatus.FITS_FAILED in result.statuses:
        raise typer.Exit(NOT_CONVERGED)

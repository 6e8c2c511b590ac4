"""The command asimov: a workspace with the data that parameters lead to expect."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.opening import Opened, opened
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    OutputOption,
    POIOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    named_values,
    number,
    takes,
)
from hfjax.cli.runtime import ADVICE, NOT_CONVERGED
from hfjax.cli.streams import complain, write_json
from hfjax.errors import missing_poi

NOMINAL, FITTED = "nominal", "fitted"
_HINT = "--parameters"


@dataclass(frozen=True, kw_only=True)
class AsimovOptions:
    """Options of `hfjax asimov`."""

    workspace: WorkspaceArgument = "-"
    output: OutputOption = None
    signal: SignalOptions
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameters",
            metavar="nominal|fitted|NAME=VALUE",
            help="Parameters whose data are expected: nominal, the initial values of "
            "the measurement, by default; fitted, the best fit to the observed data; "
            "or nominal but for those named, repeatable.",
        ),
    ] = None
    poi: POIOption = None
    poi_value: Annotated[
        float | None,
        typer.Option(
            "--poi-value",
            parser=number,
            metavar="NUMBER",
            help="Value of the parameter of interest; of fitted parameters, all others "
            "are fitted with it.",
        ),
    ] = None
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions

    @property
    def fitted(self) -> bool:
        """Whether the parameters are those of the best fit."""
        return self.parameters == [FITTED]

    @property
    def values(self) -> dict[str, float]:
        """The values of the parameters that are named.

        Raises:
            typer.BadParameter: one is not a name and a number, or there are names
                beside nominal or fitted.
        """
        given = self.parameters or [NOMINAL]
        if given in ([NOMINAL], [FITTED]):
            return {}
        for word in {NOMINAL, FITTED}.intersection(given):
            message = (
                f"{word} stands alone: NAME=VALUE alone is nominal but for the "
                "parameters named, and --hold NAME=VALUE holds one in the fit"
            )
            raise typer.BadParameter(message, param_hint=_HINT)
        return named_values(given, _HINT)


@takes(AsimovOptions)
def asimov(options: AsimovOptions) -> None:
    """Write a workspace with Asimov data: those that parameters lead to expect.

    Expected events of each bin are its observations, and auxiliary data are in
    its measurement, as `auxdata` of the parameters; other measurements are left
    out. A fit gives the parameters back. It is JSON, as all workspaces are:

    hfjax asimov workspace.json --poi-value 0 -o background.json
    hfjax asimov workspace.json --parameters fitted --poi-value 0
    hfjax asimov workspace.json --parameters mu=1.5 --parameters JES=0.5
    """
    values = options.values
    at = opened("asimov", options, options.poi)
    params = (
        _fitted(at, options.poi_value)
        if options.fitted
        else _given(at, values, options.poi_value)
    )
    expected = at.model.expected_data(params)
    measurement = options.fit.measurement or 0
    write_json(
        hfjax.with_data(at.workspace, expected, measurement).dump(), options.output
    )


def _given(at: Opened, values: dict[str, float], poi_value: float | None) -> Any:
    """The nominal parameters, but for some of them."""
    if poi_value is not None:
        name = at.model.poi_name
        if name is None:
            raise missing_poi(at.model.names.poi)
        values = {**values, name: poi_value}
    return at.model.with_start(values).parameters.init


def _fitted(at: Opened, poi_value: float | None) -> Any:
    """The parameters of the best fit to the observed data.

    Raises:
        typer.Exit: it did not converge.
    """
    model, data, settings = at.model, at.data, at.settings
    if poi_value is None:
        found = hfjax.fit(model, data, settings=settings)
    else:
        found = hfjax.fixed_poi_fit(model, data, poi_value, settings=settings)
    if not found.converged:
        complain(hfjax.explain(model, data, found, advice=ADVICE, run=settings.run))
        raise typer.Exit(NOT_CONVERGED)
    return found.params

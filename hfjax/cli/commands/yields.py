"""The command yields: expected events with uncertainties, of samples and channels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.groups import GroupForm, check_equals_signs, groups_of
from hfjax.cli.commands.opening import Opened, opened, tell_free_fit
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    OutputOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    takes,
)
from hfjax.cli.runtime import ADVICE, NOT_CONVERGED
from hfjax.cli.streams import complain, write_json, write_text
from hfjax.cli.tables import JsonOption, wants_tables
from hfjax.documents.edit.select import names_matching
from hfjax.errors import EditError, HfjaxError
from hfjax.results.yields_record import YieldsRecord
from hfjax.results.yields_text import csv_text, latex_text
from hfjax.tables.parts import listed, rendered_parts
from hfjax.tables.yields import yields_parts

_MOST_NAMED = 6
_GROUPS = GroupForm(
    "NAME=SAMPLE[,SAMPLE], such as top=ttbar,Wt", "give all its samples at once"
)


class Form(StrEnum):
    """The forms that yields are written in."""

    JSON = "json"
    CSV = "csv"
    LATEX = "latex"


@dataclass(frozen=True, kw_only=True)
class YieldsOptions:
    """Options of `hfjax yields`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    prefit: Annotated[
        bool,
        typer.Option(
            "--prefit", help="Before any fit, with the pre-fit uncertainties."
        ),
    ] = False
    fit_channels: Annotated[
        list[str] | None,
        typer.Option(
            "--fit-channels",
            metavar="REGEX",
            help="Fit these channels only, and predict the others; repeatable.",
        ),
    ] = None
    channel: Annotated[
        list[str] | None,
        typer.Option(
            "--channel",
            metavar="REGEX",
            help="Show these channels only; all are fitted; repeatable.",
        ),
    ] = None
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="NAME=SAMPLE[,SAMPLE]",
            help="Show samples as one, such as top=ttbar,Wt; repeatable.",
        ),
    ] = None
    bins: Annotated[
        bool, typer.Option("--bins", help="Each bin too, not whole channels only.")
    ] = False
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            help="json, which has all bins and is drawn by hfjax plot; csv; or latex.",
        ),
    ] = None
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(YieldsOptions)
def yields(options: YieldsOptions) -> None:
    """Find expected events with uncertainties, of each sample and all together.

    After a fit of all channels, before any with --prefit, or with --fit-channels
    after one of some channels that predicts the others: parameters of one name
    are one, others are as before a fit. Uncertainties of sums have what samples
    and bins have in common. Tables on a terminal; JSON in a pipe or a file:

    hfjax yields workspace.json --group top=ttbar,Wt --bins
    hfjax yields workspace.json --fit-channels 'CR.*' -o predicted.json
    hfjax yields workspace.json --format latex -o table.tex
    """
    groups = _groups(options.group)
    at = opened("yields", options, None)
    check_equals_signs(groups, at.model.names.samples, _GROUPS)
    shown = _channels(options.channel, at.workspace.channel_names, "--channel")
    result = _found(at, options, groups)
    _tell(result, options)
    asked = {
        "prefit": options.prefit,
        "fit_channels": options.fit_channels,
        "groups": groups,
        **options.fit.settings,
    }
    document = result.to_dict() | at.provenance(asked)
    _write(YieldsRecord.parse(document).select(shown), options)
    if result.status is not hfjax.CovarianceStatus.KNOWN:
        complain(f"{result.status}: {result.status.sentence}")
        raise typer.Exit(NOT_CONVERGED)


def _found(at: Opened, options: YieldsOptions, groups: dict[str, list[str]]) -> Any:
    """The yields that are asked for.

    Raises:
        typer.BadParameter: Options contradict one another.
    """
    run = at.settings.run
    if options.prefit and options.fit_channels:
        message = "there is no fit with --prefit: leave one of them out"
        raise typer.BadParameter(message, param_hint="--fit-channels")
    if options.prefit:
        return hfjax.yields(at.model, at.data, groups=groups, run=run)
    fitted = _fitted(at, options) if options.fit_channels else None
    model, data = fitted or (at.model, at.data)
    result = hfjax.fit(model, data, settings=at.settings)
    if not result.converged:
        complain(hfjax.explain(model, data, result, advice=ADVICE, run=run))
        raise typer.Exit(NOT_CONVERGED)
    tell_free_fit(model, data, result, options.fit, run)
    return hfjax.yields(
        at.model, at.data, result, fitted=fitted, groups=groups, run=run
    )


def _fitted(at: Opened, options: YieldsOptions) -> tuple[Any, Any]:
    """Model and data of the channels that are fitted, held and started alike."""
    chosen = _channels(
        options.fit_channels, at.workspace.channel_names, "--fit-channels"
    )
    patterns = [re.escape(name) for name in chosen]
    try:
        part = hfjax.select(at.workspace, channels=patterns)
        model, data = hfjax.build(part, measurement=options.fit.measurement)
    except EditError as error:
        message = f"the channels {listed(chosen, _MOST_NAMED)} alone: {error}"
        raise EditError(message) from None
    for values, method in (("start", "with_start"), ("hold", "with_fixed")):
        known = {n: v for n, v in at.values[values].items() if _has(model, n)}
        model = getattr(model, method)(known)
    return model, data


def _has(model: Any, name: str) -> bool:
    try:
        model.parameters.positions(name)
    except HfjaxError:
        return False
    return True


def _channels(
    patterns: Sequence[str] | None, names: Sequence[str], hint: str
) -> Sequence[str]:
    """Names of channels that match expressions; all if there are none.

    Raises:
        typer.BadParameter: One is none, or matches nothing.
    """
    try:
        return names_matching("channel", patterns or (), names)
    except HfjaxError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None


def _groups(texts: Sequence[str] | None) -> dict[str, list[str]]:
    """Read groups of samples.

    Raises:
        typer.BadParameter: One is not a name and names of samples, or is there twice;
            or a sample is.

    >>> _groups(["top=ttbar,Wt"])
    {'top': ['ttbar', 'Wt']}
    """
    found, taken = groups_of(texts, _GROUPS), set()
    for members in found.values():
        if twice := taken.intersection(members):
            message = f"sample '{min(twice)}' is in two groups, and would count twice"
            raise typer.BadParameter(message, param_hint="--group")
        taken |= set(members)
    return found


def _tell(result: Any, options: YieldsOptions) -> None:
    """Say which parameters no fit has told, where some have been."""
    if result.prediction == "extrapolated" and result.prior and not options.fit.quiet:
        names = listed(list(result.prior), _MOST_NAMED)
        complain(f"as before any fit: {names}, which the fitted channels do not have")


def _write(record: YieldsRecord, options: YieldsOptions) -> None:
    """Write yields in the form that is asked for."""
    text = {Form.CSV: csv_text, Form.LATEX: latex_text}.get(options.form or Form.JSON)
    if text is not None:
        write_text(text(record, options.bins), options.output)
    elif options.form is None and wants_tables(options.output, options.as_json):
        parts = yields_parts(record, options.bins)
        write_text(rendered_parts(parts, colour=True), None)
    else:
        write_json(record.dump(), options.output)

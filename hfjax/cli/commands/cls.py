"""The command cls: a test of one signal, asymptotic or with toys."""

import functools
from dataclasses import dataclass
from typing import Any

import typer

import hfjax
from hfjax.cli.commands.endings import tell_endings
from hfjax.cli.commands.opening import finish, opened, tell_meaning, tell_unused
from hfjax.cli.commands.toy_test import (
    Calculator,
    CalculatorOption,
    ToyOptions,
    finish_toys,
    run_toys,
)
from hfjax.cli.options import (
    Expected,
    ExpectedOption,
    FitOptions,
    HoldOption,
    OutputOption,
    SignalOptions,
    StartOption,
    TestOptions,
    WorkspaceArgument,
    takes,
)
from hfjax.cli.runtime import ADVICE
from hfjax.cli.tables import JsonOption
from hfjax.tables.results import cls_parts


@dataclass(frozen=True, kw_only=True)
class ClsOptions:
    """Options of `hfjax cls`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    test: TestOptions
    calculator: CalculatorOption = Calculator.ASYMPTOTICS
    toys: ToyOptions
    expected: ExpectedOption = Expected.OBSERVED_PROFILE
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(ClsOptions)
def cls(options: ClsOptions) -> None:
    """Test one signal: observed and expected CLs.

    A table on a terminal; JSON with --json, in a pipe or in a file:

    hfjax cls BkgOnly.json --patchset patchset.json --name m_600_240
    hfjax cls workspace.json --test-stat q0 -o result.json
    hfjax cls workspace.json --calculator toys --toys 5000 --seed 1
    """
    tell_unused(options.test)
    with_toys = options.calculator is not Calculator.ASYMPTOTICS
    if not with_toys:
        options.toys.refuse()
    elif options.expected is Expected.NOMINAL:
        message = "toys have no Asimov data: leave out this, or --calculator toys"
        raise typer.BadParameter(message, param_hint="--expected")
    at = opened("cls", options, options.test.poi, options.expected)
    model, data, settings = at.model, at.data, at.settings
    asked = {
        "poi": options.test.poi,
        "test_poi": options.test.tested,
        "test_stat": options.test.test_stat.value,
        "expected": options.expected.value,
        **options.fit.settings,
    }
    what = f"{model.poi_name} = {options.test.tested:g} with {options.test.test_stat}"
    if with_toys:
        chosen = options.toys.settings(asked["test_stat"], settings)
        result = run_toys(
            model, data, options.test, options.toys, chosen, options.fit.quiet
        )
        tell_meaning(model, options.test, options.fit.quiet)
        document = result.to_dict() | at.provenance(asked)
        finish_toys(result, document, options.output, options.as_json, what)
        return
    result = hfjax.hypotest(
        model,
        data,
        poi_value=options.test.poi_value,
        test_stat=options.test.test_stat.value,
        settings=settings,
    )
    tell_meaning(model, options.test, options.fit.quiet)
    document = test_document(model, data, result, settings.run)
    document |= tell_fits(model, data, result, settings.run, options.fit)
    document |= at.provenance(asked)
    parts = functools.partial(cls_parts, what=f"test of {what}")
    finish(document, options.output, options.as_json, parts)


def tell_fits(
    model: Any, data: Any, result: Any, run: Any, options: FitOptions
) -> dict[str, Any]:
    """Tell where the fits of a test have ended; the same as JSON values."""
    fits = hfjax.fits_by_name(model, data, result)
    ends = {
        key: hfjax.fit_ending(model, fit.data, fit.fit, held=fit.held, run=run)
        for key, fit in fits.items()
    }
    labels = {fits[key].label: ending for key, ending in ends.items()}
    tell_endings(labels, model.poi_name, options)
    dumps = {key: ends[key].dump() for key in ("free", "fixed", "background", "asimov")}
    return {
        kind: {key: dump[kind] for key, dump in dumps.items()}
        for kind in ("valleys", "at_bounds", "at_edge")
    }


def test_document(model: Any, data: Any, result: Any, run: Any) -> dict[str, Any]:
    """A hypothesis test as JSON values."""
    document = result.to_dict()
    if not result.converged:
        why = hfjax.explain(model, data, result, advice=ADVICE, run=run)
        document["message"] = why
    return document

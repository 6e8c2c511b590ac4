"""What commands on one model share: how they open it, and how they end.

Each reads a workspace with a signal, starts JAX, builds a model, and writes a result
that says where it comes from.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import typer

import hfjax
from hfjax.cli.commands.endings import FREE_FIT, tell_endings
from hfjax.cli.options import (
    Expected,
    FitOptions,
    SignalOptions,
    TestOptions,
    TestStat,
    named_values,
)
from hfjax.cli.runtime import NOT_CONVERGED, Stages, command_line, start_jax
from hfjax.cli.streams import complain, refuse_shared_input
from hfjax.cli.tables import write_result
from hfjax.documents.patchset.patchset import PatchSet, apply_patch
from hfjax.documents.reading.json_files import naming, read_json
from hfjax.documents.workspace.compose import compose_document
from hfjax.documents.workspace.workspace import Workspace
from hfjax.provenance import this_run
from hfjax.results.scan import CONVERGED
from hfjax.tables.parts import Document, Parts


@runtime_checkable
class ModelOptions(Protocol):
    """The options that all of these commands have."""

    @property
    def workspace(self) -> str:
        """File of the workspace."""
        ...

    @property
    def signal(self) -> SignalOptions:
        """The signal that is added to it."""
        ...

    @property
    def start(self) -> list[str] | None:
        """Where parameters start."""
        ...

    @property
    def hold(self) -> list[str] | None:
        """Where they are held."""
        ...

    @property
    def fit(self) -> FitOptions:
        """How fits are made."""
        ...


@dataclass(frozen=True)
class Opened:
    """A model as the options of a command ask for it.

    Attributes:
        model: with the starts and what is held.
        data: its observed data.
        workspace: with the signal.
        background: the workspace as it was read.
        settings: of all fits.
        stages: how long each has taken.
        values: the measurement, where parameters start, and where they are held.
    """

    model: Any
    data: Any
    workspace: Workspace
    background: Workspace
    settings: Any
    stages: Stages
    values: Mapping[str, Any]

    def provenance(self, asked: Mapping[str, Any]) -> Document:
        """Where a result comes from, as JSON values; its fits have ended.

        Args:
            asked: what else the options of the command ask for.
        """
        self.stages.end("fit")
        settings = {"measurement": self.values["measurement"], **asked, **self.values}
        provenance = dataclasses.replace(
            this_run(command_line()),
            workspace_digest=self.workspace.digest(),
            settings=settings,
            seconds=self.stages.seconds(),
        )
        return {"hfjax": provenance.dump()}  # the digest is the patched workspace's


def opened(
    command: str,
    options: ModelOptions,
    poi: str | None,
    expected: Expected = Expected.OBSERVED_PROFILE,
) -> Opened:
    """Read a workspace, start JAX, and build the model that is asked for.

    Args:
        command: its name: what it compiled before is loaded meanwhile.
        options: of the command.
        poi: parameter of interest that is asked for.
        expected: Asimov data that are asked for.

    Raises:
        typer.BadParameter: The options contradict one another.
        HfjaxError: A file cannot be read, or no model be made of it.
    """
    stages, start = Stages(), named_values(options.start, "--start")
    held = named_values(options.hold, "--hold")
    background, workspace = signal_workspace(options.workspace, options.signal)
    settings = _start_fits(f"{command} {background.digest()}", options.fit, stages)
    model, data = _build_model(background, workspace, options.fit, stages, poi)
    model = model.with_start(start).with_fixed(held)
    settings = dataclasses.replace(settings, expected=expected.value)
    values = {"measurement": options.fit.measurement, "start": start, "hold": held}
    return Opened(model, data, workspace, background, settings, stages, values)


def signal_workspace(source: str, signal: SignalOptions) -> tuple[Workspace, Workspace]:
    """Read a workspace, and add the signal that the options ask for.

    Returns:
        The workspace as it is read, and with the signal.

    Raises:
        typer.BadParameter: The options contradict one another.
        HfjaxError: A file cannot be read, or a patch not be applied.
    """
    if (signal.patchset is None) != (signal.name is None):
        message = "--patchset FILE and --name NAME belong together: give both"
        raise typer.BadParameter(message)
    refuse_shared_input(source, signal.patchset, *(signal.patch or []))
    workspace = background = Workspace.load(source, signal.compose)
    if signal.patchset is not None and signal.name is not None:
        patchset = PatchSet.load(signal.patchset, signal.compose)
        verify = not signal.no_verify
        workspace = patchset.apply(workspace, signal.name, verify=verify)
    for path in signal.patch or []:
        operations = read_json(path)
        if signal.compose:
            with naming(path):
                operations = compose_document(operations).document
        workspace = apply_patch(workspace, operations, path)
    return background, workspace


def _start_fits(purpose: str, options: FitOptions, stages: Stages) -> Any:
    """Start JAX, and make the settings of all fits."""
    stages.end("load")
    settings = start_jax(purpose, not options.no_cache, options.settings)
    stages.end("start")
    return settings


def _build_model(
    background: Workspace,
    workspace: Workspace,
    options: FitOptions,
    stages: Stages,
    poi: str | None,
) -> Any:
    """Build model and data, and say which parameter of interest is taken."""
    model, data = hfjax.build(
        workspace, measurement=options.measurement, background=background
    )
    if poi is not None:
        model = model.with_poi(poi)
    tell_replacement(model.names, poi, options.quiet)
    stages.end("build")
    return model, data


def tell_free_fit(
    model: Any, data: Any, result: Any, options: FitOptions, run: Any
) -> None:
    """Tell where the fit of all parameters has ended: valleys, bounds, edges.

    Args:
        model: that was fitted.
        data: what it was fitted to.
        result: the fit, which converged.
        options: whether messages are wanted, and which minimum is.
        run: calls compiled programs.
    """
    poi = model.poi_name if int(model.poi) >= 0 else None
    ending = hfjax.fit_ending(model, data, result, run=run)
    tell_endings({FREE_FIT: ending}, poi, options)


def tell_unused(test: TestOptions) -> None:
    """Say that a value is given which the test statistic does not use."""
    if test.unused:
        complain(test.unused)


def tell_constraint(model: Any, poi: str | None, quiet: bool) -> None:
    """Say what a result means if the parameter that was asked for is constrained."""
    if poi is not None and model.poi_constrained and not quiet:
        complain(
            f"{poi!r} has a constraint term: the result is about all data, its "
            "auxiliary measurement included"
        )


def tell_negative(model: Any, test: TestOptions, quiet: bool) -> None:
    """Say what qtilde means where the parameter of interest may be negative."""
    import numpy as np  # here, as commands that need no arrays import this module

    low = float(np.asarray(model.parameters.lower)[model.poi])
    if test.test_stat is TestStat.QTILDE and low < 0 and not quiet:
        complain(
            f"{model.poi_name!r} may be as low as {low:g}: qtilde is that of its "
            "definition, with zero for a negative best fit; pyhf takes the lower bound "
            "for that zero, and has another CLs"
        )


def tell_meaning(model: Any, test: TestOptions, quiet: bool) -> None:
    """Say what a test means; not before there is a result: a refusal is one line.

    Args:
        model: that was tested.
        test: what was tested.
        quiet: whether messages are not wanted.
    """
    tell_constraint(model, test.poi, quiet)
    tell_negative(model, test, quiet)


def tell_replacement(names: Any, poi: str | None, quiet: bool) -> None:
    """Say which parameter is of interest if the measurement names one that is missing.

    Args:
        names: what a model has: `poi`, and `announced` by the measurement.
        poi: the parameter of interest that was asked for.
        quiet: whether messages are not wanted.
    """
    replaced = poi is None and names.announced not in (None, names.poi)
    if replaced and not quiet:
        complain(
            f"the measurement's parameter of interest {names.announced!r} is not in "
            f"the model: {names.poi!r} is taken for it; --poi NAME chooses another"
        )


def finish(
    document: Document,
    output: Path | None,
    as_json: bool,
    parts: Callable[[Document], Parts],
) -> None:
    """Write a result, and say so if it is none.

    Args:
        document: the result.
        output: a file for it.
        as_json: whether JSON is wanted on a terminal, too.
        parts: makes titles and tables of the result.

    Raises:
        typer.Exit: It is none.
    """
    write_result(document, output, as_json, parts)
    if document["status"] != CONVERGED:
        complain(f"{document['status']}: {document['message']}")
        raise typer.Exit(NOT_CONVERGED)

"""The command warmup: programs that are compiled and kept before they are needed."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

import hfjax
from hfjax.cli.commands.cls import tell_fits
from hfjax.cli.options import (
    ComposeOption,
    FitOptions,
    NoVerifyOption,
    OutputOption,
    takes,
)
from hfjax.cli.runtime import (
    Stages,
    cache_folder,
    command_line,
    jax_folder,
    program_folder,
    start_jax,
)
from hfjax.cli.streams import complain, progress_bar, refuse_shared_input
from hfjax.cli.tables import JsonOption, write_result
from hfjax.compiled.devices import on_cpu
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import HfjaxError, ModelError
from hfjax.provenance import this_run
from hfjax.tables.parts import Document
from hfjax.tables.warmup import warmup_parts


@dataclass(frozen=True, kw_only=True)
class WarmupOptions:
    """Options of `hfjax warmup`."""

    workspaces: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORKSPACE",
            help="Files, one of which may be - for standard input; small models of "
            "hfjax's own if there are none.",
        ),
    ] = None
    as_json: JsonOption = False
    output: OutputOption = None
    patchset: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Patchset of the one WORKSPACE, which is to be scanned; programs of "
            "fit, cls and limit are those of its first signal.",
        ),
    ] = None
    no_verify: NoVerifyOption = False
    compose: ComposeOption = False
    fit: FitOptions


class Model(NamedTuple):
    """What the programs of one workspace are compiled for.

    Attributes:
        label: what it is called.
        background: the workspace as it is read, which names the programs.
        workspace: with the signal, if there is one.
        patchset: to be scanned, if there is one.
    """

    label: str
    background: Workspace
    workspace: Workspace
    patchset: PatchSet | None = None


class Ready(NamedTuple):
    """A model, its data and the settings of its fits."""

    model: Any
    data: Any
    settings: Any


@takes(WarmupOptions)
def warmup(options: WarmupOptions) -> None:
    """Compile what fit, cls, limit and scan need, and keep it for later runs.

    Programs are those of the sizes of the given workspaces: whatever is of about
    the same size shares them, and starts at once. A table on a terminal; JSON
    with --json, in a pipe or in a file:

    hfjax warmup
    hfjax warmup workspace.json other.json --valleys initial
    hfjax warmup BkgOnly.json --patchset patchset.json
    """
    stages = Stages()
    _check(options)
    models = _models(options)
    stages.end("load")
    folder = _folder()
    jobs = [(each, command) for each in models for command in _commands(each)]
    done: list[Document] = []
    stage = "compile"
    with progress_bar(len(jobs), options.fit.quiet, (stage, stage)) as progress:
        for each, command in jobs:
            done.append(_warmed(each, command, options, folder))
            if progress is not None:
                progress(len(done), len(jobs))
    stages.end("compile")
    document = _document(done, folder, options, stages)
    write_result(document, options.output, options.as_json, warmup_parts)
    _tell(done, folder)


def _tell(done: list[Document], folder: Path) -> None:
    """Tell which commands have no programs, and why.

    Raises:
        ModelError: A workspace has none at all.
        OSError: Some could not be kept.
    """
    useful = {row["workspace"] for row in done if not row["message"]}
    lacking: dict[tuple[str, str], list[str]] = {}
    for row in done:
        if row["message"]:
            why = row["workspace"], row["message"]
            lacking.setdefault(why, []).append(row["command"])
    for (name, message), commands in lacking.items():
        if name not in useful:
            nothing = f"{name}: {message}"
            raise ModelError(nothing)
        complain(f"no programs of {' and '.join(commands)} for {name}: {message}")
    if any(use["kept"] == "not kept" for row in done for use in row["programs"]):
        message = f"not all programs could be kept in {folder}"
        raise OSError(message)


def _check(options: WarmupOptions) -> None:
    """Refuse options that contradict what the command is for.

    Raises:
        typer.BadParameter: Names the option, and what to do.
    """
    if options.fit.no_cache:
        message = "keeping programs is all that this command does: leave it out"
        raise typer.BadParameter(message, param_hint="--no-cache")
    if options.patchset is not None and len(options.workspaces or []) != 1:
        message = "a patchset belongs to one workspace: give that alone"
        raise typer.BadParameter(message, param_hint="--patchset")
    refuse_shared_input(*(options.workspaces or []), options.patchset)


def _models(options: WarmupOptions) -> list[Model]:
    """Read what programs are for; without any workspace, small ones of our own."""
    if not options.workspaces:
        return [Model(name, each, each) for name, each in _small().items()]
    read = {path: Workspace.load(path, options.compose) for path in options.workspaces}
    if options.patchset is None:
        return [Model(path, each, each) for path, each in read.items()]
    ((path, background),) = read.items()
    patchset = PatchSet.load(options.patchset, options.compose)
    verify, first = not options.no_verify, patchset.names[0]
    workspace = patchset.apply(background, first, verify=verify)
    return [Model(path, background, workspace, patchset)]


def _small() -> Mapping[str, Workspace]:
    """One channel of two bins, with the usual kinds of uncertainties."""
    signal, bkg, observed = [12.0, 11.0], [50.0, 52.0], [51, 48]
    uncertain = [hfjax.normsys("scale", 0.9, 1.1), hfjax.staterror([3.0, 7.0])]
    samples = (
        hfjax.sample("signal", signal, hfjax.normfactor("mu")),
        hfjax.sample("background", bkg, *uncertain),
    )
    search = [hfjax.channel("SR", *samples)]
    up, down = [45.0, 57.0], [55.0, 47.0]
    return {
        "shapesys": hfjax.uncorrelated_background(signal, bkg, [3.0, 7.0], observed),
        "histosys": hfjax.correlated_background(signal, bkg, up, down, observed),
        "normsys and staterror": hfjax.workspace(search, {"SR": observed}, poi="mu"),
    }


def _folder() -> Path:
    """Where programs are kept.

    Raises:
        OSError: No folder can be made.
    """
    folder = program_folder() if on_cpu() else jax_folder()
    if folder is None:
        message = f"no folder can be made for compiled programs: {cache_folder()}"
        raise OSError(message)
    return folder


def _commands(each: Model) -> Iterator[str]:
    yield from _RECIPES
    if each.patchset is not None:
        yield "scan"


def _warmed(
    each: Model, command: str, options: WarmupOptions, folder: Path
) -> Document:
    """Do what a command does, and say which programs it has needed.

    Raises:
        OSError: Programs cannot be kept.
    """
    uses: list[Any] = []
    begin, message = time.perf_counter(), ""
    purpose = f"{command} {each.background.digest()}"
    settings = start_jax(purpose, True, options.fit.settings, uses.append)
    try:
        if each.patchset is not None and command == "scan":
            _scan(each.background, each.patchset, options, settings)
        else:
            _RECIPES[command](_ready(each, options, settings))
    except HfjaxError as error:
        message = str(error)
    if on_cpu() and not uses and not message:
        lacking = f"no compiled programs are kept in {folder}"
        raise OSError(lacking)
    return {
        "workspace": each.label,
        "command": command,
        "seconds": time.perf_counter() - begin,
        "message": message,
        "programs": [{**use._asdict(), "kept": use.kept.value} for use in uses],
    }


def _ready(each: Model, options: WarmupOptions, settings: Any) -> Ready:
    built = hfjax.build(
        each.workspace,
        measurement=options.fit.measurement,
        background=each.background,
    )
    return Ready(*built, settings)


def _fit(at: Ready) -> None:
    run = at.settings.run
    result = hfjax.fit(at.model, at.data, settings=at.settings)
    hfjax.fit_ending(at.model, at.data, result, run=run)
    hfjax.covariance(at.model, at.data, result, run=run)


def _cls(at: Ready) -> None:
    result = hfjax.hypotest(at.model, at.data, settings=at.settings)
    tell_fits(at.model, at.data, result, at.settings.run, FitOptions(quiet=True))


def _limit(at: Ready) -> None:
    hfjax.upper_limit(at.model, at.data, settings=at.settings)


_RECIPES: Mapping[str, Callable[[Ready], None]] = {
    "fit": _fit,
    "cls": _cls,
    "limit": _limit,
}
"""What the commands compute, with their usual options."""


def _scan(
    background: Workspace, patchset: PatchSet, options: WarmupOptions, settings: Any
) -> None:
    measurement = options.fit.measurement
    batch = hfjax.build_scan(background, patchset, measurement=measurement)
    hfjax.scan(batch.first_points(), settings=settings)


def _document(
    done: list[Document], folder: Path, options: WarmupOptions, stages: Stages
) -> Document:
    """What was compiled, as JSON values of the schema warmup-report-1.0.0.json."""
    asked = {"measurement": options.fit.measurement, **options.fit.settings}
    origin = dataclasses.replace(
        this_run(command_line()), settings=asked, seconds=stages.seconds()
    )
    return {"hfjax": origin.dump(), "folder": str(folder), "commands": done}

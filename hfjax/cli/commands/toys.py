"""The commands toys and toys merge: a test with toys, in parts if need be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.opening import opened, tell_meaning, tell_unused
from hfjax.cli.commands.toy_test import ToyOptions, finish_toys, run_toys
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    SignalOptions,
    StartOption,
    TestOptions,
    WorkspaceArgument,
    number,
    takes,
    writable,
)
from hfjax.cli.runtime import INTERRUPTED, command_line, start_jax
from hfjax.cli.streams import complain, say
from hfjax.cli.tables import JsonOption
from hfjax.provenance import this_run


def parts(text: str) -> tuple[int, int]:
    """Read which of how many shards, such as 2/4.

    Raises:
        typer.BadParameter: There is no such shard.

    Example:
        >>> parts("2/4")
        (2, 4)
    """
    which, sign, whole = text.partition("/")
    if sign and which.isdecimal() and whole.isdecimal():
        found = int(which), int(whole)
        if 1 <= found[0] <= found[1]:
            return found
    message = f"'{text}' is no shard: give which of how many, such as 2/4"
    raise typer.BadParameter(message)


StatisticsOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        callback=writable,
        help="File for the statistics of all toys, in NumPy's format .npz. If the "
        "command is ended early, the same command goes on from FILE.partial.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ToysOptions:
    """Options of `hfjax toys`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: StatisticsOption = None
    toys: ToyOptions
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="Draw only this one of N equal parts of the toys; "
            "'hfjax toys merge' puts them together.",
        ),
    ] = "1/1"
    until_error: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="Draw no more toys than this statistical error of CLs (of q0: p0) "
            "takes, and --toys at most.",
        ),
    ] = None
    signal: SignalOptions
    test: TestOptions
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(ToysOptions)
def toys(options: ToysOptions) -> None:
    """Test one signal with toys: CLs with its error, and the expected band.

    A table on a terminal, JSON in a pipe or with --json; the statistics of all
    toys in the file of --output. On several machines, each draws a part:

    hfjax toys workspace.json --toys 10000 --seed 1 -o toys.npz
    hfjax toys workspace.json --toys 10000 --seed 1 --shard 2/4 -o part2.npz
    hfjax toys merge part1.npz part2.npz part3.npz part4.npz -o toys.npz

    Exit code 3: a fit to the data, or to some toys, did not converge; these
    toys are counted, and have no part in p-values.
    """
    tell_unused(options.test)
    shard = _shard(options)
    at = opened("toys", options, options.test.poi)
    settings = options.toys.settings(
        options.test.test_stat.value,
        at.settings,
        shard=shard,
        until_error=options.until_error,
        keep=_partial(options.output),
    )
    result = _drawn(at.model, at.data, options, settings)
    tell_meaning(at.model, options.test, options.fit.quiet)
    _save(result, options.output, options.fit.quiet)
    document = result.to_dict() | at.provenance({"shard": list(shard)})
    finish_toys(result, document, None, options.as_json, _what(result))


def _shard(options: ToysOptions) -> tuple[int, int]:
    """Which shard is wanted.

    Raises:
        typer.BadParameter: There is none, or no file for it.
    """
    try:
        found = parts(options.shard)
    except typer.BadParameter as error:
        raise typer.BadParameter(str(error), param_hint="--shard") from None
    if found[1] > 1 and options.output is None:
        message = "a shard is for merging: give --output FILE too"
        raise typer.BadParameter(message, param_hint="--shard")
    return found


def _partial(output: Path | None) -> Path | None:
    """Where toys are kept until all of them are done."""
    return None if output is None else output.with_name(f"{output.name}.partial")


def _drawn(model: Any, data: Any, options: ToysOptions, settings: Any) -> Any:
    """Draw the toys; say where those are that were done before an interruption."""
    quiet = options.fit.quiet
    try:
        return run_toys(model, data, options.test, options.toys, settings, quiet)
    except KeyboardInterrupt:
        kept = settings.keep
        if kept is None or not kept.exists():
            complain("interrupted: no toys are kept, as there is no --output FILE")
        else:
            complain(f"interrupted: {kept} has what was done; the same command goes on")
        raise typer.Exit(INTERRUPTED) from None


def _save(result: Any, output: Path | None, quiet: bool) -> None:
    """Write all statistics, after which what was kept meanwhile is not needed."""
    kept = _partial(output)
    if output is None or kept is None:
        return
    hfjax.save_toys(result, output)
    kept.unlink(missing_ok=True)
    say(f"written: {result.numbers.size} toys in {output}", quiet)


def _what(result: Any) -> str:
    """What was tested, in a few words."""
    known = result.settings
    return f"{known['poi']} = {known['poi_value']:g} with {known['test_stat']}"


@dataclass(frozen=True, kw_only=True)
class MergeOptions:
    """Options of `hfjax toys merge`."""

    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Files of hfjax toys, in any order."),
    ]
    as_json: JsonOption = False
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            callback=writable,
            help="File for the statistics of all toys, in NumPy's format .npz.",
        ),
    ] = None
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no messages.")
    ] = False


@takes(MergeOptions)
def merge(options: MergeOptions) -> None:
    """Put together toys that were drawn in parts: the same bits as in one run.

    Toys of another model, other data, settings or seeds are refused. One file
    alone is shown as it is.

    hfjax toys merge part1.npz part2.npz -o toys.npz
    """
    start_jax("toys merge", cache=False)
    results = [hfjax.load_toys(path) for path in options.files]
    result = hfjax.merge_toys(results)
    missing = int(result.numbers.max(initial=-1)) + 1 - result.numbers.size
    if missing:
        complain(f"{missing} toys are missing below number {result.numbers.max()}")
    if options.output is not None:
        hfjax.save_toys(result, options.output)
        say(f"written: {result.numbers.size} toys in {options.output}", options.quiet)
    document = result.to_dict() | {"hfjax": this_run(command_line()).dump()}
    finish_toys(result, document, None, options.as_json, _what(result))

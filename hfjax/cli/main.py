"""The command `hfjax`: its subcommands, and what every error looks like.

Commands that read and check documents never import JAX: those that do reach it through
the contents page `hfjax`, when they run.
"""

import gc
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

import hfjax
from hfjax.cli.commands.citation import citation
from hfjax.cli.plain_help import PlainCommand, PlainGroup
from hfjax.cli.runtime import INTERRUPTED
from hfjax.cli.streams import complain
from hfjax.documents.reading.json_values import TOO_DEEP
from hfjax.errors import HfjaxError

BAD_INPUT = 2

_SETTINGS: dict[str, Any] = {
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
    "cls": PlainGroup,
}

COMMANDS = {
    "scan": "hfjax.cli.commands.scan",
    "plot": "hfjax.cli.commands.plot",
    "cls": "hfjax.cli.commands.cls",
    "fit": "hfjax.cli.commands.fit",
    "limit": "hfjax.cli.commands.limit",
    "toys": "hfjax.cli.commands.toys",
    "significance": "hfjax.cli.commands.significance",
    "profile": "hfjax.cli.commands.profile",
    "contour": "hfjax.cli.commands.contour",
    "yields": "hfjax.cli.commands.yields",
    "gof": "hfjax.cli.commands.gof",
    "impacts": "hfjax.cli.commands.impacts",
    "variations": "hfjax.cli.commands.variations",
    "report": "hfjax.cli.commands.report",
    "asimov": "hfjax.cli.commands.asimov",
    "inspect": "hfjax.cli.commands.documents",
    "digest": "hfjax.cli.commands.documents",
    "combine": "hfjax.cli.commands.editing",
    "prune": "hfjax.cli.commands.editing",
    "select": "hfjax.cli.commands.editing",
    "rename": "hfjax.cli.commands.editing",
    "sort": "hfjax.cli.commands.editing",
    "download": "hfjax.cli.commands.published",
    "open": "hfjax.cli.commands.published",
    "check": "hfjax.cli.commands.check",
    "xml2json": "hfjax.cli.commands.root_files",
    "json2xml": "hfjax.cli.commands.root_files",
    "convert": "hfjax.cli.commands.convert",
    "warmup": "hfjax.cli.commands.warmup",
    "completions": "hfjax.cli.commands.completions",
}
"""Every command, and the module that has the function of its name.

A module may also bring a command's class, as `RenameCommand` for `rename`.
"""
PATCHSET_COMMANDS = {
    "inspect": "hfjax.cli.commands.patchsets",
    "extract": "hfjax.cli.commands.patchsets",
    "apply": "hfjax.cli.commands.patchsets",
    "verify": "hfjax.cli.commands.patchsets",
    "make": "hfjax.cli.commands.patchsets",
}
"""The same for the commands after `hfjax patchset`."""
TOYS_COMMANDS = {"merge": "hfjax.cli.commands.toys"}
"""The same for those after `hfjax toys`, which is a command itself."""


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"hfjax {hfjax.__version__}")
        raise typer.Exit
    return wanted


def _show_citation(wanted: bool) -> bool:
    if wanted:
        typer.echo(citation(), nl=False)
        raise typer.Exit
    return wanted


def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
    cite: Annotated[
        bool,
        typer.Option(
            "--cite",
            "--citation",
            callback=_show_citation,
            is_eager=True,
            help="Show what to cite, as BibTeX.",
        ),
    ] = False,
) -> None:
    """HistFactory likelihoods in JAX: from published likelihoods to exclusion limits.

    Results are JSON, on standard output or in a file. On a terminal, inspect,
    fit, cls, limit, significance, profile, contour, yields, gof, impacts, toys,
    scan, check, warmup and patchset inspect show tables, or the JSON with --json.

    Exit codes: 0 all well; 2 bad input or usage; 3 a fit did not converge, or
    a check found an error.
    """
    del version, cite


def _patchset() -> None:
    """Inspect, extract, apply, verify and make the patches of a patchset."""


def _toys() -> None:
    """Merge toys that were drawn in parts."""


def make_app(arguments: Sequence[str]) -> typer.Typer:
    """Make the command line, as far as some arguments need it.

    A command that they name is alone: the others need not be imported.
    """
    first, second = (*arguments, "", "")[:2]
    app = typer.Typer(name="hfjax", **_SETTINGS)
    app.callback()(root)
    if first == "toys" and second in TOYS_COMMANDS:
        _add_group(app, first, _toys, TOYS_COMMANDS, second)
        return app
    if first != "patchset":
        _add_commands(app, COMMANDS, first)
    if first not in COMMANDS:
        _add_group(app, "patchset", _patchset, PATCHSET_COMMANDS, second)
    return app


def _add_group(
    app: typer.Typer,
    name: str,
    says: Callable[[], None],
    known: Mapping[str, str],
    wanted: str,
) -> None:
    group = typer.Typer(**_SETTINGS)
    group.callback()(says)
    _add_commands(group, known, wanted)
    app.add_typer(group, name=name)


def _add_commands(app: typer.Typer, known: Mapping[str, str], wanted: str) -> None:
    for name in [wanted] if wanted in known else known:
        module = importlib.import_module(known[name])
        kind = getattr(module, f"{name.capitalize()}Command", PlainCommand)
        app.command(name, cls=kind)(getattr(module, name))


def program() -> NoReturn:
    """Run the command line as a process of its own, and end the process.

    Python would look for garbage while modules are imported, and take JAX apart in the
    end; both take longer than a small fit.
    """
    gc.set_threshold(100_000)
    try:
        run()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 0)


def run() -> NoReturn:
    """Run the command line; every error is one line on standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        sys.exit(_exit_code())


def _exit_code() -> int:
    arguments = sys.argv[1:]
    if arguments in ([], ["patchset"]):
        arguments = [*arguments, "--help"]
    try:
        command = get_command(make_app(arguments))
        code = command.main(arguments, prog_name="hfjax", standalone_mode=False)
    except HfjaxError as error:
        complain(str(error))
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:
        complain(str(error))
        return BAD_INPUT
    except RecursionError:
        complain(f"the input cannot be used: {TOO_DEEP}")
        return BAD_INPUT
    except Exception as error:
        complain(_usage(error, arguments))
        return BAD_INPUT
    return code if isinstance(code, int) else 0


def _usage(error: Exception, arguments: Sequence[str]) -> str:
    """What is wrong with the command line; other errors are ours and raised again."""
    message = getattr(error, "format_message", None)
    if message is None:
        raise error
    text = message().rstrip(".").replace("Value error, ", "")  # of typer's parser
    return f"{text} (see '{_command_path(arguments)} --help')"


def _command_path(arguments: Sequence[str]) -> str:
    """The command that some arguments name: not every error of usage knows it.

    >>> _command_path(["patchset", "apply", "--name"]), _command_path(["--bogus"])
    ('hfjax patchset apply', 'hfjax')
    """
    first, second = (*arguments, "", "")[:2]
    if first == "patchset":
        return f"hfjax patchset {second if second in PATCHSET_COMMANDS else ''}".strip()
    if first == "toys" and second in TOYS_COMMANDS:
        return f"hfjax toys {second}"
    return f"hfjax {first if first in COMMANDS else ''}".strip()


def _show_warning(message: Warning | str, *details: Any, **more: Any) -> None:
    del details, more
    complain(f"warning: {message}")

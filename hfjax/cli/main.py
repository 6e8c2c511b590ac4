"""The command `hfjax`: its subcommands, and what every error looks like.

Commands that read and check documents never import JAX: those that do reach it through
the contents page `hfjax`, when they run.
"""

import sys
import warnings
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

import hfjax
from hfjax.cli import convert, documents, inference, patchsets, root_files, scan
from hfjax.cli.streams import complain
from hfjax.errors import HfjaxError

BAD_INPUT = 2
INTERRUPTED = 130

_SETTINGS: dict[str, Any] = {
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
}

app = typer.Typer(name="hfjax", **_SETTINGS)
patchset_app = typer.Typer(
    help="Inspect, extract, apply and verify the patches of a patchset.", **_SETTINGS
)


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"hfjax {hfjax.__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """HistFactory likelihoods in JAX: from published likelihoods to exclusion limits.

    Results are JSON, on standard output or in a file.

    Exit codes: 0 all well; 2 bad input or usage; 3 a fit did not converge.
    """
    del version


app.command()(scan.scan)
app.command()(inference.cls)
app.command()(inference.fit)
app.command()(documents.inspect)
app.command()(documents.digest)
app.command()(root_files.xml2json)
app.command()(root_files.json2xml)
app.command()(convert.convert)
app.add_typer(patchset_app, name="patchset")
for _command in (
    patchsets.inspect,
    patchsets.extract,
    patchsets.apply,
    patchsets.verify,
):
    patchset_app.command()(_command)


def run() -> NoReturn:
    """Run the command line; every error is one line on standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        code = get_command(app).main(
            sys.argv[1:] or ["--help"], prog_name="hfjax", standalone_mode=False
        )
    except HfjaxError as error:
        complain(str(error))
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:
        complain(str(error))
        return BAD_INPUT
    except Exception as error:
        complain(_usage(error))
        return BAD_INPUT
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> str:
    """What is wrong with the command line; other errors are ours and raised again."""
    message = getattr(error, "format_message", None)
    if message is None:
        raise error
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "hfjax"
    return f"{message().rstrip('.')} (see '{path} --help')"


def _show_warning(message: Warning | str, *details: Any, **more: Any) -> None:
    del details, more
    complain(f"warning: {message}")

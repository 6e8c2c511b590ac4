"""The options of the commands, as records that several commands share.

A command takes one record. A field of a record is an option, or a record of options
that belong together; `takes` makes of all of them one command for typer.
"""

import copy
import inspect
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hfjax.cli.plain_help import value_word
from hfjax.errors import DigestError

Options = TypeVar("Options")


class Minimizer(StrEnum):
    """The minimizers a fit can use."""

    NEWTON = "newton"
    JAXOPT_LBFGSB = "jaxopt-lbfgsb"
    OPTAX_LBFGS = "optax-lbfgs"


class Valleys(StrEnum):
    """Which of several minima is wanted; see `hfjax.FitSettings`."""

    LOWEST = "lowest"
    INITIAL = "initial"
    ANY = "any"


class Expected(StrEnum):
    """Of which Asimov data expected results are; see `hfjax.FitSettings`."""

    OBSERVED_PROFILE = "observed-profile"
    NOMINAL = "nominal"


class TestStat(StrEnum):
    """The test statistics, as they are called on the command line."""

    __test__ = False  # for pytest: the name begins with Test, but it is none

    QTILDE = "qtilde"
    Q = "q"
    Q0 = "q0"


def writable(path: Path | None) -> Path | None:
    """Check, before anything is computed, that a file can be written.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    if path is None or str(path) == "-":
        return None
    folder = path.parent
    if not folder.is_dir():
        message = f"folder '{folder}' does not exist: make it first"
        raise typer.BadParameter(message)
    if path.is_dir():
        message = f"'{path}' is a folder: give a file in it"
        raise typer.BadParameter(message)
    if not os.access(path if path.exists() else folder, os.W_OK):
        message = f"'{path}' may not be written: choose another place"
        raise typer.BadParameter(message)
    return path


def report_file(path: Path | None) -> Path | None:
    """Check that a report can be written; standard output is for the result.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    if str(path) == "-":
        message = "the report needs a file of its own, not standard output"
        raise typer.BadParameter(message)
    return writable(path)


def number(text: str | float) -> float:
    """Read a finite number.

    Raises:
        typer.BadParameter: It is none.

    Example:
        >>> number("0.5")
        0.5
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    message = f"'{text}' is not a finite number"
    raise typer.BadParameter(message)


WorkspaceArgument = Annotated[
    str, typer.Argument(metavar="WORKSPACE", help="File, or - for standard input.")
]
BackgroundArgument = Annotated[
    str,
    typer.Argument(
        metavar="BKGONLY",
        help="File of the background-only workspace, or - for standard input.",
    ),
]
PatchSetArgument = Annotated[
    str, typer.Argument(metavar="PATCHSET", help="File, or - for standard input.")
]
PatchOption = Annotated[
    list[str] | None,
    typer.Option(
        "--patch", "-p", metavar="FILE", help="JSON-patch file to apply; repeatable."
    ),
]
PatchNameOption = Annotated[str, typer.Option("--name", help="Name of the patch.")]
NoVerifyOption = Annotated[
    bool,
    typer.Option("--no-verify", help="Do without checking the patchset's digests."),
]
ComposeOption = Annotated[
    bool,
    typer.Option(
        "--compose",
        help="Merge systematics that a sample has twice by name and type.",
    ),
]
NoCacheOption = Annotated[
    bool,
    typer.Option(
        "--no-cache", help="Keep no compiled programs in the user's cache folder."
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        "--output-file",
        callback=writable,
        help="File for the result; standard output by default.",
    ),
]
POIValueOption = Annotated[
    float,
    typer.Option(
        "--poi-value",
        "--test-poi",
        parser=number,
        metavar="NUMBER",
        help="Value of the parameter of interest that is tested.",
    ),
]
POIOption = Annotated[
    str | None,
    typer.Option(
        "--poi",
        metavar="NAME",
        help="Parameter of interest, instead of the one that the measurement names.",
    ),
]
StartOption = Annotated[
    list[str] | None,
    typer.Option(
        "--start",
        metavar="NAME=VALUE",
        help="Value that a parameter has where fits start, such as mu=0.5 or "
        "'gamma[1]=1.2', instead of the measurement's; repeatable.",
    ),
]


HoldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--hold",
        metavar="NAME=VALUE",
        help="Value that all fits hold a parameter at, such as JES=0 or "
        "'gamma[1]=1'; repeatable.",
    ),
]


ExpectedOption = Annotated[
    Expected,
    typer.Option(
        "--expected",
        help="Asimov data that expected results are of: those of the best fit to the "
        "observed data, or the nominal ones, before any fit.",
    ),
]


def named_values(texts: list[str] | None, option: str) -> dict[str, float]:
    """Read values of parameters by name.

    Args:
        texts: each a name and a number.
        option: that they were given with.

    Raises:
        typer.BadParameter: One is not a name and a number, or a name is there twice.

    Example:
        >>> named_values(["mu=0.5", "gamma[1]=1.2"], "--start")
        {'mu': 0.5, 'gamma[1]': 1.2}
    """
    found: dict[str, float] = {}
    for text in texts or []:
        name, sign, value = text.rpartition("=")
        if not (name and sign):
            message = f"'{text}' is not NAME=VALUE, such as mu=0.5"
            raise typer.BadParameter(message, param_hint=option)
        if name in found:
            message = f"'{name}' is given twice: give one value"
            raise typer.BadParameter(message, param_hint=option)
        try:
            found[name] = number(value)
        except typer.BadParameter as error:
            message = f"{name}: {error}"
            raise typer.BadParameter(message, param_hint=option) from None
    return found


@dataclass(frozen=True)
class SignalOptions:
    """Where the signal comes from that is added to the workspace."""

    patch: PatchOption = None
    patchset: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Patchset to take one patch from, with --name."
        ),
    ] = None
    name: Annotated[
        str | None, typer.Option(help="Name of the patch in the patchset.")
    ] = None
    no_verify: NoVerifyOption = False
    compose: ComposeOption = False


@dataclass(frozen=True)
class FitOptions:
    """How the fits are made."""

    measurement: Annotated[
        str | None, typer.Option(help="Measurement to use; the first by default.")
    ] = None
    minimizer: Annotated[
        Minimizer,
        typer.Option(
            metavar="NAME",
            help="Minimizer of the fits: newton, jaxopt-lbfgsb or optax-lbfgs.",
        ),
    ] = Minimizer.NEWTON
    valleys: Annotated[
        Valleys,
        typer.Option(
            help="Which best fit, if the likelihood has several minima: the lowest one "
            "in which no systematic turns a sample's events well below zero; the one "
            "that the initial values lead to, as in other tools; or any, the lowest "
            "with such samples or without."
        ),
    ] = Valleys.LOWEST
    max_steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="Steps after which a fit gives up.")
    ] = 300
    no_cache: NoCacheOption = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no messages.")
    ] = False

    @property
    def settings(self) -> dict[str, Any]:
        """What all fits are done with, as `hfjax.FitSettings` takes it."""
        return {
            "minimizer": self.minimizer.value,
            "valleys": self.valleys.value,
            "max_steps": self.max_steps,
        }


@dataclass(frozen=True)
class TestOptions:
    """What is tested."""

    __test__ = False  # for pytest: the name begins with Test, but it is none

    @property
    def unused(self) -> str:
        """What to say of a value that is not used: q0 tests zero; empty otherwise."""
        if self.test_stat is TestStat.Q0 and self.poi_value not in (0.0, 1.0):
            return f"q0 tests 0: --poi-value {self.poi_value:g} is not used"
        return ""

    @property
    def tested(self) -> float:
        """The value that is tested, of q0 always zero."""
        return 0.0 if self.test_stat is TestStat.Q0 else self.poi_value

    poi: POIOption = None
    poi_value: POIValueOption = 1.0
    test_stat: Annotated[TestStat, typer.Option(help="Test statistic.")] = (
        TestStat.QTILDE
    )


def takes(
    record: type[Options],
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Make a typer command of a function that takes its options as one record.

    Args:
        record: a dataclass whose fields are annotated as typer's parameters are, or are
            such dataclasses themselves.

    Returns:
        A decorator.

    Example:
        >>> @takes(TestOptions)
        ... def show(options):
        ...     print(options.poi_value)
        >>> show(poi=None, poi_value=2.0, test_stat=TestStat.Q)
        2.0
        >>> list(inspect.signature(show).parameters)
        ['poi', 'poi_value', 'test_stat']
    """
    flat = list(_flat_fields(record))
    parameters = [_parameter(entry) for entry in flat]

    def decorate(function: Callable[[Options], None]) -> Callable[..., None]:
        def command(**values: Any) -> None:
            try:
                function(_fill(record, values))
            except DigestError as error:
                if "no_verify" not in values:
                    raise
                message = f"{error}: --no-verify"
                raise DigestError(message) from None

        command.__name__ = function.__name__
        command.__doc__ = function.__doc__
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def _flat_fields(record: type) -> Iterator[Field]:
    for entry in fields(record):
        if is_dataclass(entry.type):
            yield from _flat_fields(entry.type)  # type: ignore[arg-type]
        else:
            yield entry


def _parameter(entry: Field) -> inspect.Parameter:
    default = inspect.Parameter.empty if entry.default is MISSING else entry.default
    kind = inspect.Parameter.KEYWORD_ONLY
    annotation = _with_word(entry.type)
    return inspect.Parameter(entry.name, kind, default=default, annotation=annotation)


def _with_word(annotation: Any) -> Any:
    """An option's annotation in which its values have a name for people."""
    option = copy.copy(annotation.__metadata__[0])
    if option.metavar is None:
        option.metavar = value_word(annotation.__origin__)
    return Annotated[annotation.__origin__, option]


def _fill(record: Any, values: dict[str, Any]) -> Any:
    return record(
        **{
            entry.name: _fill(entry.type, values)
            if is_dataclass(entry.type)
            else values[entry.name]
            for entry in fields(record)
        }
    )

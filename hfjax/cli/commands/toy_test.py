"""What the commands have in common that test with toys."""

import dataclasses
import functools
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.options import TestOptions
from hfjax.cli.runtime import NOT_CONVERGED
from hfjax.cli.streams import FIRST_STAGE, complain, progress_bar
from hfjax.cli.tables import write_result
from hfjax.tables.parts import Document
from hfjax.tables.results import toys_parts

TOYS, SEED = 2000, 0


class Calculator(StrEnum):
    """How p-values are computed; the last is pyhf's word."""

    ASYMPTOTICS = "asymptotics"
    TOYS = "toys"
    TOYBASED = "toybased"


CalculatorOption = Annotated[
    Calculator,
    typer.Option(
        "--calculator",
        "--calctype",
        help="Asymptotic formulae, or toys, which pyhf calls toybased.",
    ),
]


class Auxiliary(StrEnum):
    """What auxiliary data are in toys."""

    DRAWN = "drawn"
    FIXED = "fixed"


@dataclass(frozen=True)
class ToyOptions:
    """Which toys are drawn; None is what is not asked for."""

    toys: Annotated[
        int | None,
        typer.Option(
            "--toys",
            "--ntoys",
            min=1,
            metavar="N",
            help=f"Toys of each hypothesis; {TOYS} by default.",
        ),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help=f"Seed of the toys; {SEED} by default."),
    ] = None
    auxiliary: Annotated[
        Auxiliary | None,
        typer.Option(
            help="Auxiliary data of toys: drawn, by default, or fixed as observed."
        ),
    ] = None

    @property
    def number(self) -> int:
        """How many toys are drawn of each hypothesis."""
        return TOYS if self.toys is None else self.toys

    @property
    def key(self) -> int:
        """The seed."""
        return SEED if self.seed is None else self.seed

    def refuse(self) -> None:
        """Refuse options of toys where none are drawn.

        Raises:
            typer.BadParameter: One is given.
        """
        for name in ("toys", "seed", "auxiliary"):
            if getattr(self, name) is not None:
                message = "it is for toys: give --calculator toys too"
                raise typer.BadParameter(message, param_hint=f"--{name}")

    def settings(self, statistic: str, fits: Any, **more: Any) -> Any:
        """The `ToySettings` of these toys.

        Args:
            statistic: the test statistic.
            fits: settings of all fits.
            more: other settings.
        """
        auxiliary = (self.auxiliary or Auxiliary.DRAWN).value
        return hfjax.ToySettings(
            test_stat=statistic, auxiliary=auxiliary, fits=fits, **more
        )


def run_toys(
    model: Any,
    data: Any,
    test: TestOptions,
    options: ToyOptions,
    settings: Any,
    quiet: bool,
) -> Any:
    """Draw and test toys, and show on a terminal how many are done.

    Args:
        model: a model.
        data: its data.
        test: what is tested.
        options: which toys are drawn.
        settings: of `ToyOptions.settings`.
        quiet: whether no progress is wanted.
    """
    number, key = options.number, options.key
    total = settings.numbers(number).size
    with progress_bar(total, quiet, (FIRST_STAGE, "toys")) as progress:
        settings = dataclasses.replace(settings, progress=progress)
        return hfjax.toys(model, data, test.tested, number, key, settings)


def finish_toys(
    result: Any, document: Document, output: Path | None, as_json: bool, what: str
) -> None:
    """Write a test with toys, and say what is to be known of it.

    Args:
        result: a `ToysResult`.
        document: the same as JSON values.
        output: a file for that.
        as_json: whether JSON is wanted on a terminal, too.
        what: what was tested, in a few words.

    Raises:
        typer.Exit: Fits did not converge.
    """
    parts = functools.partial(toys_parts, what=f"toys of {what}")
    write_result(document, output, as_json, parts)
    if result.message:
        complain(result.message)
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)

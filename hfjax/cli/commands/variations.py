"""The command variations: pictures of what systematics do to events."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

import hfjax
from hfjax.cli.commands.impacts import patterns_of
from hfjax.cli.commands.opening import signal_workspace
from hfjax.cli.commands.plot import TitleOption, drawable
from hfjax.cli.options import SignalOptions, WorkspaceArgument, takes
from hfjax.cli.runtime import start_jax
from hfjax.cli.streams import say
from hfjax.plotting.settings import PlotSettings


@dataclass(frozen=True, kw_only=True)
class VariationsOptions:
    """Options of `hfjax variations`."""

    workspace: WorkspaceArgument = "-"
    parameters: Annotated[
        list[str],
        typer.Option(
            "--parameters",
            metavar="NAME[,NAME]",
            help="Systematics, by names or patterns such as 'JES_*', a page for each; "
            "repeatable.",
        ),
    ]
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            "--output-file",
            metavar="FILE",
            callback=drawable,
            help="File for the picture, whose suffix says the format; several pages "
            "need a .pdf.",
        ),
    ]
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channels",
            metavar="NAME[,NAME]",
            help="Channels, by names or patterns; by default all in which something "
            "changes; repeatable.",
        ),
    ] = None
    samples: Annotated[
        list[str] | None,
        typer.Option(
            "--samples",
            metavar="NAME[,NAME]",
            help="Samples, by names or patterns, a page for each; all together by "
            "default; repeatable.",
        ),
    ] = None
    signal: SignalOptions
    measurement: Annotated[
        str | None, typer.Option(help="Measurement to use; the first by default.")
    ] = None
    log: Annotated[bool, typer.Option("--log", help="Logarithmic axis up.")] = False
    title: TitleOption = None
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDS", help="Line of text beside the legend; repeatable."
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No messages.")] = False

    @property
    def settings(self) -> PlotSettings:
        """What is drawn and written."""
        text = tuple(self.text or ())
        return PlotSettings(log=self.log, title=self.title, text=text)


@takes(VariationsOptions)
def variations(options: VariationsOptions) -> None:
    """Draw what systematics do to events: nominal, up and down, and their ratios.

    Up and down are plus and minus one standard deviation of the constraint term,
    all else at its nominal value; there is no fit. Each page is of one systematic
    and shows the channels that it changes, those of one bin side by side:

    hfjax variations workspace.json --parameters JES -o JES.pdf
    hfjax variations workspace.json --parameters 'JES_*,lumi' -o all.pdf
    hfjax variations workspace.json --parameters JES --samples top -o top.png
    """
    background, workspace = signal_workspace(options.workspace, options.signal)
    start_jax("variations", cache=False)
    model, _ = hfjax.build(
        workspace, measurement=options.measurement, background=background
    )
    drawn = hfjax.write_variations(
        model,
        options.output,
        patterns_of(options.parameters) or [],
        channels=patterns_of(options.channels),
        samples=patterns_of(options.samples),
        settings=options.settings,
    )
    word = "page" if len(drawn) == 1 else "pages"
    say(f"written: {len(drawn)} {word} in {options.output}", options.quiet)

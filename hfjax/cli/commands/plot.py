"""The command `plot`: a picture of a result file, good enough for a paper."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.pictures import draw, kind, read_drawable
from hfjax.cli.options import takes, writable
from hfjax.cli.streams import say
from hfjax.errors import HfjaxError
from hfjax.plotting.settings import PlotSettings
from hfjax.results.scan import LEVEL, ScanResult

FORMATS = frozenset(
    {"eps", "jpeg", "jpg", "pdf", "png", "ps", "svg", "tif", "tiff", "webp"}
)
"""The formats matplotlib writes without other programs."""


def drawable(path: Path | None) -> Path | None:
    """Check, before anything is computed, that a plot can be drawn into a file.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    if path is None:
        return None
    if path.suffix[1:].lower() not in FORMATS:
        message = (
            f"'{path}' has no known suffix: use one of {', '.join(sorted(FORMATS))}"
        )
        raise typer.BadParameter(message)
    need_matplotlib()
    return writable(path)


def need_matplotlib() -> None:
    """Check that what draws is installed.

    Raises:
        typer.BadParameter: It is not; the message says how to install it.
    """
    if importlib.util.find_spec("matplotlib") is None:
        message = "matplotlib is missing: install it with: pip install 'hfjax[plot]'"
        raise typer.BadParameter(message)


def known_format(name: str | None) -> str | None:
    """Check that a format can be written.

    Raises:
        typer.BadParameter: It cannot; the message has those that can.

    Example:
        >>> known_format("PDF")
        'pdf'
    """
    if name is None or name.lower() in FORMATS:
        return name and name.lower()
    message = f"'{name}' is no known format: use one of {', '.join(sorted(FORMATS))}"
    raise typer.BadParameter(message)


AxesOption = Annotated[
    str | None,
    typer.Option(
        "--axes",
        metavar="X[,Y]",
        help="What is drawn across and up: labels, or expressions of labels such as "
        "'m_parent,m_parent-m_lsp'; one alone is drawn against CLs or p0. By default "
        "the first two labels that vary, or the only one.",
    ),
]


TitleOption = Annotated[
    str | None,
    typer.Option("--title", metavar="WORDS", help="Title above the frame."),
]

UnitsOption = Annotated[
    str | None,
    typer.Option(
        "--units",
        metavar="UNIT[,UNIT]",
        help="Unit of both axes, or of each, which follows their names in "
        "brackets: GeV, or GeV,ns.",
    ),
]


def level_of(text: str | float) -> float:
    """Read a level of exclusion, between 0 and 1.

    Raises:
        typer.BadParameter: It is none.
    """
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if 0 < level < 1:
        return level
    message = f"'{text}' is not a number between 0 and 1, such as 0.05"
    raise typer.BadParameter(message)


@dataclass(frozen=True, kw_only=True)
class PlotOptions:
    """Options of `hfjax plot`."""

    result: Annotated[
        str,
        typer.Argument(
            metavar="RESULT",
            help="Result file of a command, or of 'hfjax toys -o'; - is standard "
            "input.",
        ),
    ]
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            "--output-file",
            metavar="FILE",
            help="File for the picture, whose suffix says the format; - is standard "
            "output, with --format.",
        ),
    ]
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            callback=known_format,
            help="Format, whatever the suffix: pdf, png, svg, eps, ...",
        ),
    ] = None
    axes: AxesOption = None
    condition: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="EXPR",
            help="Draw only points that fulfil a condition on labels and name, such as "
            "'m_parent>300 and m_lsp<50'; of a fit, parameters by name, value and "
            "pull, of impacts by name, pull and impact.",
        ),
    ] = None
    xlabel: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help=r"Name of the axis across, such as '$m(\tilde{\tau})$'.",
        ),
    ] = None
    ylabel: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Name of the axis up.")
    ] = None
    units: UnitsOption = None
    title: TitleOption = None
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDS",
            help="Line of text in the frame, such as "
            r"'$\sqrt{s}$ = 13 TeV, 139 fb$^{-1}$'; repeatable.",
        ),
    ] = None
    log: Annotated[
        bool,
        typer.Option(
            "--log",
            help="Logarithmic axis up; also between points, the logarithm is "
            "interpolated. p0 always has one.",
        ),
    ] = False
    log_x: Annotated[bool, typer.Option("--log-x", help="Logarithmic axis across.")] = (
        False
    )
    no_points: Annotated[
        bool, typer.Option("--no-points", help="Do without marks of the points.")
    ] = False
    two_sigma: Annotated[
        bool,
        typer.Option(
            "--two-sigma",
            help="Expected band of 2 standard deviations in a plane as well; against "
            "one label it is always there.",
        ),
    ] = False
    forbidden: Annotated[
        str | None,
        typer.Option(
            metavar="RELATION",
            help="Region to shade, such as 'm_lsp > m_parent', or a line, such as "
            "'m_lsp = m_parent'.",
        ),
    ] = None
    level: Annotated[
        float,
        typer.Option(
            parser=level_of,
            metavar="NUMBER",
            help="CLs below which a signal is excluded.",
        ),
    ] = LEVEL
    correlations: Annotated[
        bool,
        typer.Option(
            "--correlations",
            help="Of a fit, the matrix of its correlations, which it has after "
            "'hfjax fit --correlations'.",
        ),
    ] = False
    most: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="NUMBER",
            help="Parameters of a fit that are drawn at most: those with the largest "
            "pulls (60 by default), correlations or impacts (20); or samples (10).",
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No messages.")] = False

    @property
    def settings(self) -> PlotSettings:
        """What is drawn and written."""
        return PlotSettings(
            axes=self.axes,
            select=self.condition,
            xlabel=self.xlabel,
            ylabel=self.ylabel,
            units=self.units or (),
            title=self.title,
            text=tuple(self.text or ()),
            log=self.log,
            log_x=self.log_x,
            points=not self.no_points,
            two_sigma=self.two_sigma,
            forbidden=self.forbidden,
            level=self.level,
            most=self.most,
        )


@takes(PlotOptions)
def plot(options: PlotOptions) -> None:
    """Draw a result file of a command, or statistics of toys.

    A scan is drawn as exclusion contours, for q0 as contours of the significance,
    for limits as contours where they are 1, with points in the limits' colours.
    Where one label varies, or --axes has one, CLs is drawn against it with its
    expected bands, for q0 p0 with lines at whole standard deviations. A test is
    CLs or p0 in its expected band, a limit too, or with 'hfjax limit --curve'
    CLs against the tested value. A fit is the pulls of its parameters with their
    uncertainties, or with --correlations a matrix; statistics of toys are
    histograms, a profile is -2 Delta ln L, contours are curves around the best
    fit, impacts are bars with pulls, and yields are stacked samples with the data
    and their ratio. These take fewer options.

    hfjax plot results.json -o exclusion.pdf --units GeV
    hfjax plot results.json -o exclusion.pdf --axes 'm_parent,m_parent-m_lsp'
    hfjax plot fit.json -o pulls.pdf --select 'pull > 1 or pull < -1'
    hfjax plot fit.json -o matrix.pdf --correlations --most 15
    hfjax plot impacts.json -o ranking.pdf --most 15
    hfjax plot toys.npz -o toys.pdf
    hfjax plot yields.json -o distributions.pdf --log
    """
    target = _target(options)
    result = read_drawable(options.result)
    what = kind(result, options.correlations)
    draw(result, what, options.settings, target, options.form)
    say(f"written: {what} in {options.output}", options.quiet)


def _target(options: PlotOptions) -> Any:
    """Where the picture is written to, once it is clear that it can be.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    hint = "--output"
    try:
        if str(options.output) == "-":
            if options.form is None:
                message = "standard output has no suffix: give a --format"
                raise typer.BadParameter(message)
            need_matplotlib()
            return sys.stdout.buffer
        if options.form is None:
            return drawable(options.output)
        need_matplotlib()
        return writable(options.output)
    except typer.BadParameter as error:
        raise typer.BadParameter(error.message, param_hint=hint) from None


def check_plot(result: ScanResult, settings: PlotSettings, hint: str) -> None:
    """Check that a picture can be drawn, before there are results.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    try:
        hfjax.check_drawable(result, settings)
    except HfjaxError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None

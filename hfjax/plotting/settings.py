"""What can be chosen about a picture."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from hfjax.errors import DataError
from hfjax.results.scan import LEVEL


@dataclass(frozen=True, kw_only=True)
class PlotSettings:
    """What a picture shows, and what is written in it.

    All are for pictures of scans; those of fits, tests, profiles and contours take some
    of them, and refuse what they have no use for.

    Attributes:
        axes: What is drawn across and up: labels, or expressions of labels such as
            `m_parent - m_lsp`. One alone is drawn against CLs, for q0 against p0. By
            default the first two labels whose values differ between points, or the
            only one.
        select: A condition on labels and name, such as `m_parent > 300`, that the
            points have to fulfil.
        xlabel: What is written along the axis across, instead of its label.
        ylabel: What is written along the axis up.
        units: The units of all axes, or of each, which follow their names in brackets.
        title: A title above the frame.
        text: Lines in the frame, above the legend: experiment, energy, luminosity.
        log: Whether the axis up is logarithmic. Between points, the logarithm is
            interpolated. p0 always has such an axis.
        log_x: Whether the axis across is logarithmic.
        points: Whether the points are marked.
        two_sigma: Whether the plane of an exclusion has the band of 2 standard
            deviations as well; against one label it is always there.
        forbidden: A region of the plane that is shaded, such as `m_lsp > m_parent`, or
            a line, such as `m_lsp = m_parent`.
        level: A point is excluded where CLs is below it (0.05: 95% confidence level).
        most: Parameters that are drawn at most: of a fit, those with the largest pulls
            (by default 60), of a matrix those with the largest correlations (20), of
            impacts the largest (20); and samples of distributions (10), of which the
            smallest are drawn as one.

    Example:
        >>> PlotSettings(axes="m_parent,m_parent-m_lsp", units="GeV").axes
        ('m_parent', 'm_parent-m_lsp')
    """

    axes: Sequence[str] | str | None = None
    select: str | None = None
    xlabel: str | None = None
    ylabel: str | None = None
    units: Sequence[str] | str = ()
    title: str | None = None
    text: Sequence[str] | str = ()
    log: bool = False
    log_x: bool = False
    points: bool = True
    two_sigma: bool = False
    forbidden: str | None = None
    level: float = LEVEL
    most: int | None = None

    def __post_init__(self) -> None:
        """Take texts for lists: `x,y` of axes and of units, and one line of text."""
        for name in ("axes", "units"):
            given = getattr(self, name)
            if isinstance(given, str):
                parts = tuple(part.strip() for part in given.split(","))
                object.__setattr__(self, name, parts)
        if isinstance(self.text, str):
            object.__setattr__(self, "text", (self.text,))


def take_only(settings: PlotSettings, names: Sequence[str], what: str) -> None:
    """Refuse settings that a picture has no use for.

    Args:
        settings: What is asked for.
        names: The settings that the picture takes.
        what: What it is a picture of.

    Raises:
        DataError: Names the settings, and those that it takes.

    Example:
        >>> take_only(PlotSettings(log=True), ("title", "text"), "a fit")
        Traceback (most recent call last):
        ...
        hfjax.errors.DataError: a picture of a fit has no use for log: it takes title, \
text
    """
    plain = PlotSettings()
    others = [each.name for each in fields(settings) if each.name not in names]
    asked = [n for n in others if getattr(settings, n) != getattr(plain, n)]
    if asked:
        message = (
            f"a picture of {what} has no use for {', '.join(asked)}: it takes "
            f"{', '.join(names)}"
        )
        raise DataError(message)

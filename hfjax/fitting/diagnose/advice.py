"""What can be done about a fit that failed, where its message is read."""

from typing import NamedTuple


class Advice(NamedTuple):
    """What can be done where a message is read; empty what cannot.

    Attributes:
        steps: allows more steps.
        start: starts elsewhere.
        positive: keeps normsys products above zero.
    """

    steps: str = ""
    start: str = ""
    positive: str = ""


IN_PYTHON = Advice(
    steps="FitSettings(max_steps=...)",
    start="Model.with_start",
    positive="ModelSettings(positive=True)",
)
"""For those who call functions."""
ANYWHERE = Advice(
    steps="FitSettings(max_steps=...), which is --max-steps N of commands",
    start="Model.with_start, which is --start NAME=VALUE of commands",
    positive=IN_PYTHON.positive,
)
"""For readers of a page, who call functions or commands."""

"""Yields as text: digits, CSV, and LaTeX in which names are escaped."""

import csv
import io

import pytest

from hfjax.results.yields_record import ChannelRecord, EventsRecord, YieldsRecord
from hfjax.results.yields_text import csv_text, escaped, latex_text, rounded

TOP = EventsRecord((10.0, 2.5), (1.25, None), 12.5, 1.5)
LESS = EventsRecord((0.0012, 0.0), (0.00034, 0.0), 0.0012, 0.00034)
ALL = EventsRecord((10.0012, 2.5), (1.3, 0.2), 12.5012, 1.6)
RECORD = YieldsRecord(
    {
        "SR_1": ChannelRecord((12.0, 3.0), ALL, {"t & b": TOP, "W": LESS}, {}),
        "CR": ChannelRecord(None, TOP, {"t & b": TOP}, {}),
    },
    {},
    "post-fit",
    (),
    "known",
    "",
)


@pytest.mark.parametrize(
    ("value", "uncertainty", "shown"),
    [
        (12.5, 1.5, ("12.5", "1.5")),
        (1234.5, 210.0, ("1234", "210")),
        (0.0012, 0.00034, ("0.00120", "0.00034")),
        (5.0, 0.0, ("5", "")),
        (5.123456, None, ("5.1235", "")),
        (3.0, float("inf"), ("3", "")),
        (None, 1.0, ("-", "")),
    ],
)
def test_an_uncertainty_has_two_digits_and_its_value_as_many(value, uncertainty, shown):
    assert rounded(value, uncertainty) == shown


def test_csv_has_all_digits():
    rows = list(csv.DictReader(io.StringIO(csv_text(RECORD, bins=False))))
    assert [row["sample"] for row in rows[:4]] == ["t & b", "W", "total", "data"]
    assert rows[1]["uncertainty"] == "0.00034"
    assert {row["bin"] for row in rows} == {"all"}
    rows = list(csv.DictReader(io.StringIO(csv_text(RECORD, bins=True))))
    assert {row["bin"] for row in rows} == {"all", "0", "1"}


def test_latex_has_a_column_for_each_channel():
    lines = latex_text(RECORD, bins=False).splitlines()
    assert lines[0] == r"\begin{tabular}{lrr}"
    assert lines[2] == r" & SR\_1 & CR \\"
    assert lines[4] == r"t \& b & $12.5 \pm 1.5$ & $12.5 \pm 1.5$ \\"
    assert lines[5] == r"W & $0.00120 \pm 0.00034$ &  \\"
    assert lines[7:9] == [
        r"Total & $12.5 \pm 1.6$ & $12.5 \pm 1.5$ \\",
        r"Data & $15$ &  \\",
    ]


def test_latex_of_bins_has_a_table_for_each_channel():
    text = latex_text(RECORD, bins=True)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert r"SR\_1 & bin 1 & bin 2 & sum \\" in text
    assert r"Data & $12$ & $3$ & $15$ \\" in text


def test_what_latex_would_obey_is_escaped():
    assert escaped(r"a_b%$#&{}") == r"a\_b\%\$\#\&\{\}"
    assert escaped("\\~^<>|") == (
        r"\textbackslash{}\textasciitilde{}\textasciicircum{}"
        r"\textless{}\textgreater{}\textbar{}"
    )

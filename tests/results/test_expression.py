"""Numbers that are made of labels."""

import pytest

from hfjax.errors import DataError
from hfjax.results.expression import numbers
from hfjax.results.scan import ScanPoint, ScanResult

RESULT = ScanResult(
    ("m_parent", "m_lsp", "life time", "kind"),
    (
        ScanPoint("a", (300, 100, 2.0, "stop")),
        ScanPoint("b", (500, 0, 8, "stop")),
    ),
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("m_parent", (300.0, 500.0)),
        ("life time", (2.0, 8.0)),
        ("m_parent - m_lsp", (200.0, 500.0)),
        ("(m_parent + m_lsp) / 2", (200.0, 250.0)),
        ("-m_lsp", (-100.0, 0.0)),
        ("'life time' ** 2 / 2", (2.0, 32.0)),
        ("sqrt('life time' * 2)", (2.0, 4.0)),
        ("max(m_lsp, 50)", (100.0, 50.0)),
    ],
)
def test_numbers_are_what_python_says(text, values):
    assert numbers(text, RESULT) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m_parnt - 1", "unknown name 'm_parnt': did you mean 'm_parent'"),
        ("xx - 1", "unknown name 'xx': choose of m_parent, m_lsp, life time"),
        ("m_parent / m_lsp", "has no value for 'b': division by zero"),
        ("kind", "'kind' at point 'a' is 'stop': only finite numbers can be drawn"),
        ("kind * 2", "has no value for 'a': 'kind' is no number"),
        ("1e308 * m_parent", "at point 'a' is inf: only finite"),
        ("(-m_parent) ** 0.5", "only finite numbers can be drawn"),
        ("m_parent > 2", "has 'm_parent > 2' in it: an expression may have numbers, "),
        ("m_parent.real", "names of labels"),
    ],
)
def test_what_is_no_number_is_said(text, message):
    with pytest.raises(DataError) as caught:
        numbers(text, RESULT)
    assert message in str(caught.value)

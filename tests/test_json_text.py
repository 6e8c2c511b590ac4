"""JSON text: the same document, on few and short lines."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hfjax.json_text import finite_or_none, json_text, write_document
from tests import workspaces

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=30)
DOCUMENTS = st.recursive(
    LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=30), inner),
)


@given(DOCUMENTS)
def test_the_text_is_the_document(document):
    text = json_text(document)
    assert json.loads(text) == document
    if len(json.dumps(document, ensure_ascii=False)) <= 88:
        assert "\n" not in text


def test_what_does_not_fit_on_a_line_has_a_line_for_each_part():
    bins = list(range(1000, 1020))
    lines = json_text({"name": "SR", "bins": [bins, [1, 2]]}).splitlines()
    assert lines[:4] == ["{", '  "name": "SR",', '  "bins": [', "    ["]
    assert lines[4:7] == ["      1000,", "      1001,", "      1002,"]
    assert lines[-4:] == ["    ],", "    [1, 2]", "  ]", "}"]


def test_a_file_of_it_is_read_back_and_ends_with_its_line(tmp_path):
    document = workspaces.all_settings() | {"τ": "µ"}
    write_document(document, tmp_path / "ws.json")
    content = (tmp_path / "ws.json").read_bytes()
    assert json.loads(content) == document
    assert content.endswith(b"}\n")
    assert "µ".encode() in content


@pytest.mark.parametrize(
    "value", [None, math.nan, math.inf, -math.inf, np.float64("nan")]
)
def test_no_number_is_written_for_what_is_not_finite(value):
    assert finite_or_none(value) is None


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2.0), np.array(2.0)])
def test_numbers_of_any_kind_are_written_as_those_of_python(value):
    found = finite_or_none(value)
    assert type(found) is float
    assert found == 2.0

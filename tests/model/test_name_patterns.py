"""Patterns of names: stars, question marks, components, and what means nothing."""

import pytest

from hfjax.errors import UnknownNameError
from hfjax.model.name_patterns import matching
from hfjax.model.parameters import ParameterSet

SETS = [
    ParameterSet("JES_1", 0, 1, True),
    ParameterSet("JES_2", 1, 1, True),
    ParameterSet("stat", 2, 3, False),
    ParameterSet("a.b+", 5, 1, True),
]


@pytest.mark.parametrize(
    ("patterns", "positions"),
    [
        (["JES_*"], [0, 1]),
        (["stat", "JES_?"], [0, 1, 2, 3, 4]),
        (["stat[1]"], [3]),
        (["*[2]", "stat[?]"], [2, 3, 4]),
        (["a.b+"], [5]),
        (["*"], [0, 1, 2, 3, 4, 5]),
        ([], []),
    ],
)
def test_patterns_mean_parameters_in_the_order_of_the_model(patterns, positions):
    assert matching(SETS, patterns) == positions


@pytest.mark.parametrize("pattern", ["JES", "stat[3]", "axb+", "jes_*"])
def test_what_means_no_parameter_is_refused(pattern):
    with pytest.raises(UnknownNameError, match="no parameter named"):
        matching(SETS, [pattern])

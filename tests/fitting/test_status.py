"""Settings of fits that no fit can be done with."""

import pytest

from hfjax.errors import ParameterError, UnknownNameError
from hfjax.fitting.others.minimizers import MINIMIZERS
from hfjax.fitting.status import MINIMIZER_NAMES, FitSettings


def test_every_minimizer_has_a_name_in_the_settings():
    assert set(MINIMIZER_NAMES) == {"newton", *MINIMIZERS}


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"minimizer": "newtn"}, UnknownNameError, "minimizer named 'newtn'.*'newton'"),
        ({"valleys": "lowst"}, UnknownNameError, "valleys named 'lowst'.*'lowest'"),
        ({"max_steps": 0}, ParameterError, "max_steps is 0"),
        ({"tolerance": 0.0}, ParameterError, "tolerance is 0"),
        ({"tolerance": float("nan")}, ParameterError, "tolerance is nan"),
    ],
)
def test_settings_of_no_fit_are_refused(settings, error, says):
    with pytest.raises(error, match=says):
        FitSettings(**settings)

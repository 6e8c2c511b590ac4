"""What a scan says of a value out of bounds is what a test says."""

from hfjax.fitting.status import FitStatus
from hfjax.scanning.execution import OUT_OF_BOUNDS


def test_a_point_out_of_bounds_has_the_status_of_a_test():
    assert FitStatus.OUT_OF_BOUNDS.name.lower() == OUT_OF_BOUNDS

"""Models like those of `test_cases`; `inference.neighbours` says what is right."""

from math import lgamma

import numpy as np
import pytest

from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.status import FitStatus
from hfjax.inference.explain import explain
from hfjax.inference.hypotest import hypotest
from tests.inference.neighbours import (
    COMPONENTS,
    CORNERED,
    COUPLED,
    IMPOSSIBLE,
    PARTED,
    REGIONS,
    SHAPED,
    WIDE,
    Neighbour,
    counting,
    each_of,
    interference,
    loaded,
    scaled,
    setting,
    shifted,
)

pytestmark = pytest.mark.slow

MINIMUM = 1e-6
"""How far a minimum of 2NLL may be from the right one."""
TAIL = 1e-5
"""How far CLs may be from the right one, relative to it."""
PLACE = 1e-3
"""How far a best fit may be from the right one: minima are flat."""


def agrees(found: float, known: float, name: str) -> None:
    """A number is the right one."""
    if name == "CLs_obs":
        assert found == pytest.approx(known, rel=TAIL)
    else:
        close = PLACE if name == "mu_hat" else MINIMUM
        assert found == pytest.approx(known, rel=0, abs=close), name


def all_is_right(each: Neighbour) -> None:
    """A test at one ends well, and all that is known of it is right."""
    found = hypotest(*loaded(each))
    assert found.status == FitStatus.CONVERGED
    numbers = {
        "free": found.free.twice_nll,
        "fixed": found.fixed.twice_nll,
        "background": found.background.twice_nll,
        "mu_hat": found.mu_hat,
        "CLs_obs": found.CLs_obs,
    }
    for name, known in each.known.items():
        agrees(float(numbers[name]), known, name)


# -- a bin that a histosys fills, and one that it empties ----------------------------

FILLED = {
    "the high side, more is seen": Neighbour(
        shifted([0, 5], [0, 18], ([0, 16.5], [2.5, 19]), [3, 20]),
        {"free": 10.7092267, "CLs_obs": 0.347907512},
    ),
    "the low side": Neighbour(
        shifted([0, 4], [0, 20], ([1.2, 18.5], [0, 21]), [1, 17]),
        {"free": 9.24410744, "CLs_obs": 0.295496388},
    ),
    "both sides, so that there are two valleys": Neighbour(
        shifted([0, 4], [0, 20], ([2, 19], [1, 22]), [1, 21]),
        {"free": 9.00494563, "CLs_obs": 0.480615851},
    ),
    "a straight line, below zero on one side": Neighbour(
        shifted([0, 4], [0, 20], ([-1.5, 19], [1.5, 21]), [1, 20]),
        {"free": 9.01736143, "CLs_obs": 0.382222175},
    ),
    "only the signal hides it at the start": Neighbour(
        shifted([1, 4], [0, 20], ([0, 19], [1.5, 21]), [2, 20]),
        {"free": 10.23298557, "CLs_obs": 0.484584628},
    ),
}

EMPTIED = {
    "towards the high side": Neighbour(
        shifted([0, 4], [0.6, 25], ([1, 32], [0.2, 18]), [0, 11]),
        {"free": 9.26122247, "fixed": 11.90153665, "CLs_obs": 0.170672144},
    ),
    "beyond the low side of an uneven histosys": Neighbour(
        shifted([0, 4], [0.4, 15], ([0.1, 11], [0.9, 20]), [0, 6]),
        {"free": 8.8832881, "fixed": 12.72797326, "CLs_obs": 0.090857508},
    ),
    "a signal is there too": Neighbour(
        shifted([0.5, 4], [0.5, 20], ([0.1, 14], [0.9, 26]), [0, 8]),
        {"free": 9.19792456, "fixed": 11.63679663, "CLs_obs": 0.188509731},
    ),
    "and the signal may be negative": Neighbour(
        shifted(
            *([1, 4], [0.5, 20], ([0.1, 14], [0.9, 26]), [0, 8]),
            setting("mu", 1, -3, 10),
        ),
        {"free": 9.14299834, "fixed": 12.63679663, "CLs_obs": 0.0896727104},
    ),
    "inside of one standard deviation, where the line is bent": Neighbour(
        shifted([0, 4], [0.3, 20], ([-0.1, 14], [0.8, 26]), [0, 8]),
        {"free": 10.76952399, "fixed": 15.10027019, "CLs_obs": 0.0831357422},
    ),
}


@pytest.mark.parametrize("each", each_of(FILLED))
def test_a_histosys_fills_an_empty_bin(each):
    all_is_right(each)


@pytest.mark.parametrize("each", each_of(EMPTIED))
def test_a_histosys_takes_all_from_a_bin_without_events(each):
    all_is_right(each)


@pytest.mark.parametrize("each", each_of(CORNERED))
def test_a_minimum_where_a_bin_is_empty_or_beyond(each):
    all_is_right(each)


@pytest.mark.xfail(strict=True, reason="a gap without a likelihood is not crossed")
def test_a_minimum_beyond_a_gap_in_the_likelihood():
    all_is_right(PARTED)


@pytest.mark.xfail(
    strict=True, reason="the edge is reached, but no fit converges there"
)
def test_a_bin_stays_empty_below_one_standard_deviation():
    """Its rate is below zero between -1 and 0, and leaves zero at -1 as a cube."""
    signal, nominal = [0, 4.36], [0, 13.68]
    sides = ([0, 9.2], [0.02, 15.5])
    known = {"free": 1 + np.log(2 * np.pi) - 2 * (9 * np.log(9.2) - 9.2 - lgamma(10))}
    found = hypotest(*loaded(Neighbour(shifted(signal, nominal, sides, [0, 9]), known)))
    assert found.status == FitStatus.CONVERGED
    assert float(found.free.twice_nll) == pytest.approx(known["free"], abs=1e-3)
    assert float(found.CLs_obs) == pytest.approx(0.29465, abs=1e-4)


# -- one bin, in which nothing is seen -----------------------------------------------

# free: rate 0, or at the bound; q = 2 s or, of a negative signal, 0; q of the Asimov
# data 2 (s - b ln(1 + s / b))
NOTHING_SEEN = {
    "a larger signal": Neighbour(
        counting(5, 1.5, -5),
        {"free": 0, "mu_hat": -0.3, "CLs_obs": 0.00278047013},
    ),
    "a bound before the rate is zero": Neighbour(
        counting(3, 0.9, -0.1),
        {"free": 1.2, "mu_hat": -0.1, "CLs_obs": 0.0226410858},
    ),
    "a bound where the rate is zero": Neighbour(
        counting(4, 1, -0.25),
        {"free": 0, "mu_hat": -0.25, "CLs_obs": 0.00751761744},
    ),
    "far below zero": Neighbour(
        counting(0.5, 8, -20),
        {"free": 0, "mu_hat": -16, "CLs_obs": 0.576678673},
    ),
    "hardly any background": Neighbour(
        counting(2, 0.05, -1),
        {"free": 0, "mu_hat": -0.025, "CLs_obs": 0.0490535513},
    ),
    "a negative signal": Neighbour(
        counting(-3, 5, -5),
        {"free": 0, "mu_hat": 1.666667, "CLs_obs": 0.519569297},
    ),
}


@pytest.mark.parametrize("each", each_of(NOTHING_SEEN))
def test_one_bin_without_events(each):
    all_is_right(each)


# -- a bin that only the signal fills ------------------------------------------------

ALONE = {
    "a wider normsys": Neighbour(
        scaled([2, 5], [0, 30], (0.8, 1.2), [0, 15], WIDE),
        {"free": 10.82288923, "CLs_obs": 0.00945280509},
    ),
    "the last bin": Neighbour(
        scaled([6, 1], [12, 0], (0.9, 1.1), [5, 0], WIDE),
        {"free": 10.08593189, "CLs_obs": 0.00389220653},
    ),
    "an uneven normsys, and a close bound": Neighbour(
        scaled(
            *([3, 4], [0, 20], (0.8, 1.3), [0, 12]),
            setting("mu", 1, -1, 10),
        ),
        {"free": 8.26366137, "CLs_obs": 0.0045874716},
    ),
    "a small signal there": Neighbour(
        scaled([0.3, 8], [0, 40], (0.9, 1.1), [0, 25], WIDE),
        {"free": 11.65106519, "CLs_obs": 0.0272781429},
    ),
    "a histosys for the other bin": Neighbour(
        shifted([3, 4], [0, 20], ([0, 18], [0, 22]), [0, 12], WIDE),
        {"free": 9.34634588, "CLs_obs": 0.00330669784},
    ),
}

OPPOSED = Neighbour(
    scaled([-3, 4], [0, 20], (0.9, 1.1), [0, 30], WIDE), {"free": 10.64366929}
)
"""A signal that is negative in the bin without background, and wanted in the other."""


@pytest.mark.parametrize("each", each_of(ALONE))
def test_a_signal_alone_in_a_bin_is_not_below_zero(each):
    all_is_right(each)


def test_a_negative_signal_alone_in_a_bin_is_not_above_zero():
    found = hypotest(*loaded(OPPOSED))
    assert found.free.status == FitStatus.CONVERGED
    agrees(float(found.free.twice_nll), OPPOSED.known["free"], "free")
    assert found.fixed.status == FitStatus.NOT_FINITE
    assert np.isnan(found.CLs_obs)


START = setting("mu", 0, 0, 10)

AT_ZERO = {
    "more signal": Neighbour(
        scaled([3, 6], [0, 30], (0.9, 1.1), [2, 33], START),
        {"free": 9.81089404, "mu_hat": 0.64125},
    ),
    "the last bin": Neighbour(
        scaled([4, 2], [10, 0], (0.9, 1.1), [12, 3], START),
        {"free": 9.82204692, "mu_hat": 1.129778},
    ),
    "a start inside the bounds": Neighbour(
        scaled(
            *([5, 5], [0, 20], (0.9, 1.1), [1, 15]),
            setting("mu", 0, -1, 10),
        ),
        {"free": 9.95456677, "mu_hat": 0.16096},
    ),
    "far from there": Neighbour(
        scaled(
            *([0.5, 1], [0, 50], (0.8, 1.1), [6, 40]),
            setting("mu", 0, 0, 20),
        ),
        {"free": 14.08432828, "mu_hat": 9.242724},
    ),
    "a histosys for the other bin": Neighbour(
        shifted([5, 5], [0, 20], ([0, 17], [0, 22]), [4, 22], START),
        {"free": 10.15862682, "mu_hat": 0.756203},
    ),
}


@pytest.mark.parametrize("each", each_of(AT_ZERO))
def test_a_fit_starts_without_the_signal_that_a_bin_needs(each):
    found = hypotest(*loaded(each))
    assert found.free.status == FitStatus.CONVERGED
    agrees(float(found.free.twice_nll), each.known["free"], "free")
    agrees(float(found.mu_hat), each.known["mu_hat"], "mu_hat")
    assert found.background.status == FitStatus.NOT_FINITE
    assert np.isnan(found.CLs_obs)


# -- nothing but a signal, where events are seen --------------------------------------


@pytest.mark.parametrize("each", each_of(IMPOSSIBLE))
def test_which_fit_is_impossible_without_a_signal_and_where(each):
    model, data = loaded(each)
    found = hypotest(model, data)
    assert np.isnan(found.CLs_obs)
    assert found.background.status == FitStatus.NOT_FINITE
    assert found.free.status == found.fixed.status == FitStatus.CONVERGED
    said = explain(model, data, found)
    assert said.startswith("the fit at mu = 0 is impossible")
    assert f"bin {each.known['bin']} of channel 'SR'" in said


# -- a negative signal that takes all -------------------------------------------------

TAKEN = {
    "more of all": Neighbour(
        interference(
            *([-5, -7, -4], [4.5, 6.4, 4.1]),
            *(([3.6, 5, 3.2], [5.4, 7.8, 5]), [0.9, 1.2, 0.8], [3, 2, 1]),
        ),
        {"fixed": 2.59407981},
    ),
    "in one bin": Neighbour(
        interference(
            *([-2.64, -1, 0.5], [2.4, 3.1, 2.2]),
            *(([1.9, 2.3, 1.7], [2.9, 3.9, 2.7]), [0.5, 0.6, 0.4], [2, 1, 3]),
        ),
        {"fixed": 3.46401235},
    ),
    "an uneven histosys": Neighbour(
        interference(
            *([-2.64, -3.6, -2.16], [2.4, 3.1, 2.2]),
            *(([2.3, 3, 2.1], [3.4, 4.9, 3.3]), [0.5, 0.6, 0.4], [2, 1, 1]),
        ),
        {"fixed": -0.03657336},
    ),
    "nothing is seen": Neighbour(
        interference(
            *([-2.64, -3.6, -2.16], [2.4, 3.1, 2.2]),
            *(([1.9, 2.3, 1.7], [2.9, 3.9, 2.7]), [0.5, 0.6, 0.4], [0, 0, 0]),
        ),
        {"fixed": -7.98931206},
    ),
    "a histosys of several signs": Neighbour(
        interference(
            *([-2.7, -3.5, -2.3], [2.4, 3.1, 2.2]),
            *(([1.9, 3.9, 1.8], [3, 2.4, 2.5]), [0.5, 0.6, 0.4], [1, 2, 0]),
        ),
        {"fixed": 3.21332386},
    ),
}


@pytest.mark.parametrize("each", each_of(TAKEN))
def test_a_negative_signal_takes_all_where_a_fit_starts(each):
    found = fixed_poi_fit(*loaded(each), 1)
    assert found.status == FitStatus.CONVERGED
    agrees(float(found.twice_nll), each.known["fixed"], "fixed")


# -- a shapefactor that two channels share --------------------------------------------


@pytest.mark.parametrize("each", each_of(SHAPED))
def test_a_shapefactor_beside_a_signal_of_any_sign(each):
    found = fit(*loaded(each))
    assert found.status == FitStatus.CONVERGED
    agrees(float(found.twice_nll), each.known["free"], "free")
    agrees(float(found.params[0]), each.known["mu_hat"], "mu_hat")


# -- four regions, whose background is a product of factors ---------------------------


@pytest.mark.parametrize("each", each_of(REGIONS))
def test_four_regions_with_few_events(each):
    all_is_right(each)


# -- valleys of a histosys in many bins -----------------------------------------------


@pytest.mark.parametrize("each", each_of(COUPLED))
def test_the_lower_valley_of_a_histosys_in_many_bins(each):
    all_is_right(each)


# -- a component of a shapefactor is the parameter of interest ------------------------


@pytest.mark.parametrize("each", each_of(COMPONENTS))
def test_a_component_of_a_shapefactor_is_tested(each):
    model, data = loaded(each)
    found = hypotest(model.with_poi(f"sf[{each.known['component']}]"), data)
    assert found.status == FitStatus.CONVERGED
    agrees(float(found.free.twice_nll), each.known["free"], "free")
    agrees(float(found.CLs_obs), each.known["CLs_obs"], "CLs_obs")

"""Small models like those that have failed, of other numbers, signs and modifiers.

What is right of them is found without the library: from a closed form where one is
named, else as the lowest minimum of `tests.reference.histfactory`, written as loops,
that SLSQP found from 40 or more starts with rates kept at or above zero, and that
Nelder-Mead then refined: of the physical ones, or of all where none is physical. CLs
are from such minima, by `tests.reference.asymptotics`.
"""

from typing import NamedTuple

import pytest

from hfjax.model.data import Data
from hfjax.model.model import Model
from tests.workspaces import (
    MU,
    Document,
    histosys,
    make,
    modifier,
    normsys,
    sample,
    workspace,
)


class Neighbour(NamedTuple):
    """A model with data, and what is right of it, by name."""

    document: Document
    known: dict[str, float]


def each_of(neighbours: dict[str, Neighbour]) -> list:
    """Neighbours as parameters of a test."""
    return [pytest.param(each, id=name) for name, each in neighbours.items()]


def loaded(each: Neighbour) -> tuple[Model, Data]:
    """Model and data."""
    return make(each.document)


def setting(name: str, init: float | list, low: float, high: float) -> Document:
    """Start and bounds of a parameter, all components alike."""
    inits = init if isinstance(init, list) else [init]
    return {"name": name, "inits": inits, "bounds": [[low, high]] * len(inits)}


WIDE = setting("mu", 1, -10, 10)


# -- one channel, a signal and a background -----------------------------------------


def shifted(
    signal: list, nominal: list, sides: tuple, seen: list, *mu: Document
) -> Document:
    """One channel: a signal, and a background with a histosys, low side first."""
    background = sample("b", nominal, histosys("a", *sides))
    samples = {"SR": [sample("sig", signal, MU), background]}
    return workspace(samples, {"SR": seen}, *mu)


def scaled(
    signal: list, nominal: list, sides: tuple, seen: list, *mu: Document
) -> Document:
    """One channel: a signal, and a background with a normsys, low side first."""
    background = sample("b", nominal, normsys("n", *sides))
    samples = {"SR": [sample("sig", signal, MU), background]}
    return workspace(samples, {"SR": seen}, *mu)


def counting(signal: float, background: float, low: float, seen: int = 0) -> Document:
    """One bin without systematics."""
    samples = [sample("sig", [signal], MU), sample("b", [background])]
    mu = setting("mu", 1, low, 10)
    return workspace({"SR": samples}, {"SR": [seen]}, mu)


def errors(nominal: list, uncertainty: list, seen: list) -> Document:
    """A signal with a staterror."""
    signal = sample("sig", nominal, MU, modifier("staterror", "st", uncertainty))
    return workspace({"SR": [signal]}, {"SR": seen})


def interference(
    signal: list, nominal: list, sides: tuple, spread: list, seen: list
) -> Document:
    """A negative signal of some luminosity, and a background with shifts and errors."""
    shifts = histosys("tot", *sides)
    background = sample("b", nominal, shifts, modifier("staterror", "st", spread))
    samples = [sample("bsm", signal, MU, modifier("lumi", "lumi")), background]
    lumi = setting("lumi", 1, 0.9, 1.1) | {"auxdata": [1], "sigmas": [0.02]}
    return workspace({"SR": samples}, {"SR": seen}, lumi)


IMPOSSIBLE = {
    "one bin": Neighbour(counting(3, 0, 0, 2), {"bin": 0}),
    "the first of two bins": Neighbour(
        scaled([3, 4], [0, 20], (0.9, 1.1), [2, 22]),
        {"bin": 0},
    ),
    "the last of two bins": Neighbour(
        shifted([3, 4], [20, 0], ([18, 0], [22, 0]), [21, 3]),
        {"bin": 1},
    ),
    "both bins, with a staterror": Neighbour(
        errors([12, 5], [2, 1.5], [10, 7]),
        {"bin": 0},
    ),
    "nothing is seen in the first": Neighbour(
        errors([12, 5], [2, 1.5], [0, 7]),
        {"bin": 1},
    ),
}
"""Nothing but a signal where events are seen; known is the first such bin."""


WIDER = setting("mu", 1, -3, 10)

# found also by a scan of all stretches of the nuisance parameter with rates above zero
CORNERED = {
    "a corner that is right": Neighbour(
        shifted([0.24, 4.92], [0, 24.3], ([0, 22.1], [0.34, 22.6]), [0, 20]),
        {"free": 7.49005597, "CLs_obs": 0.157992789},
    ),
    "lower along the bound of the signal": Neighbour(
        shifted([0.22, 2.02], [0, 26.27], ([0.69, 33.1], [1.21, 34.9]), [0, 19], WIDER),
        {"free": 8.48951858, "mu_hat": -3, "CLs_obs": 0.298805782},
    ),
    "lower where a signal makes up for the histosys": Neighbour(
        shifted([0.52, 1.51], [0, 18.66], ([0, 14.2], [1.85, 13.2]), [0, 19]),
        {"free": 6.63337851, "mu_hat": 0.052191, "CLs_obs": 0.345534355},
    ),
    "lower where the histosys makes up for a signal": Neighbour(
        shifted([0.49, 3.97], [0, 11.09], ([0.28, 9], [0.14, 9.2]), [0, 10], WIDER),
        {"free": 6.08003435, "mu_hat": -0.064049, "CLs_obs": 0.11816784},
    ),
    "along an edge where the signal is free": Neighbour(
        shifted([0, 2.85], [0, 25.63], ([1.47, 16.4], [1.68, 28.7]), [0, 22], WIDER),
        {"free": 6.77437182, "mu_hat": -1.273684, "CLs_obs": 0.502380715},
    ),
    "a signal, and the other side of zero": Neighbour(
        shifted([0.6, 3.79], [0, 17.3], ([1.47, 19], [0.04, 12.5]), [2, 11]),
        {"free": 13.24091789, "mu_hat": 1.140657, "CLs_obs": 0.631767188},
    ),
}
"""A bin that only a histosys and a signal fill, and where its rate is zero."""

PARTED = Neighbour(
    shifted([0, 3.51], [0, 19.97], ([1.21, 25.6], [0.79, 21.2]), [0, 21], WIDER),
    {"fixed": 6.97841778, "CLs_obs": 0.525895115},
)
"""The rate is below zero for values between 0 and 0.11: the minimum is beyond."""


# -- a component of a shapefactor is the parameter of interest ------------------------


def components(
    signal: list, nominal: list, sides: tuple, seen: list, *more: Document
) -> Document:
    """A signal with a factor for each bin, and a background with a normsys."""
    samples = [
        sample("sig", signal, modifier("shapefactor", "sf")),
        sample("bkg", nominal, normsys("n", *sides)),
    ]
    return workspace({"SR": samples}, {"SR": seen}, *more, poi="sf")


STEADY = ([1, 2, 3, 4], [9, 8, 7, 6], (0.9, 1.1), [11, 11, 10, 12])

COMPONENTS = {
    "the last": Neighbour(
        components(*STEADY),
        {"component": 3, "free": 18.83350913, "CLs_obs": 0.551166702},
    ),
    "an uneven normsys": Neighbour(
        components([3, 2, 2, 5], [12, 9, 7, 4], (0.7, 1.1), [13, 10, 11, 6]),
        {"component": 1, "free": 18.31895325, "CLs_obs": 0.656561406},
    ),
    "nothing seen there": Neighbour(
        components([2, 2, 3, 4], [9, 8, 1, 6], (0.9, 1.1), [11, 9, 0, 8]),
        {"component": 2, "free": 16.07043415, "CLs_obs": 0.0231877954},
    ),
    "components may be negative": Neighbour(
        components(
            *([1, 2, 3, 4], [9, 8, 7, 6], (0.9, 1.1), [7, 12, 4, 8]),
            setting("sf", [1] * 4, -3, 10),
        ),
        {"component": 2, "free": 17.18602101, "CLs_obs": 0.140691649},
    ),
    "others at their upper bounds": Neighbour(
        components([1, 1, 1, 4], [5, 6, 7, 8], (0.8, 1.2), [30, 31, 10, 13]),
        {"component": 3, "free": 39.52839548, "CLs_obs": 0.430238824},
    ),
}


# -- a shapefactor that two channels share ---------------------------------------------


def shaped(signal: list, nominal: tuple, seen: tuple, *more: Document) -> Document:
    """Signal and background in one channel, the background alone in another."""
    first, second = (
        sample("b", [value] * len(signal), modifier("shapefactor", "shape"))
        for value in nominal
    )
    channels = {"one": [sample("sig", signal, MU), first], "two": [second]}
    return workspace(channels, dict(zip(channels, seen, strict=True)), WIDE, *more)


PEAK = [0.1, 0.8, 3, 3, 0.8, 0.1]

# closed form: each bin's factor is the root of a quadratic, mu then of one variable
SHAPED = {
    "few bins": Neighbour(
        shaped(PEAK, (1.5, 1.5), ([2, 0, 1, 0, 1, 3], [1, 3, 0, 2, 2, 1])),
        {"free": 31.18439676, "mu_hat": -0.392338},
    ),
    "more of it in the other channel": Neighbour(
        shaped(PEAK, (1.5, 6), ([0, 1, 4, 6, 0, 2], [5, 3, 8, 6, 9, 4])),
        {"free": 42.10357894, "mu_hat": 0.821117},
    ),
    "bins without events in both": Neighbour(
        shaped(PEAK, (1.5, 1.5), ([1, 0, 0, 2, 0, 1], [2, 1, 0, 0, 1, 3])),
        {"free": 23.15072829, "mu_hat": 0.0},
    ),
    "factors at their upper bounds": Neighbour(
        shaped(PEAK, (0.2, 0.2), ([4, 3, 5, 2, 6, 3], [3, 2, 4, 5, 3, 4])),
        {"free": 51.38131362, "mu_hat": 0.808967},
    ),
    "a signal of two signs": Neighbour(
        shaped(
            *([0.5, -1, 2, -2, 1, 0.2], (1.5, 2)),
            ([2, 1, 0, 3, 1, 0], [1, 3, 4, 2, 0, 1]),
        ),
        {"free": 30.92710963, "mu_hat": -0.70985},
    ),
    "factors that start at zero": Neighbour(
        shaped(
            *(PEAK, (2, 3), ([3, 2, 5, 4, 1, 2], [4, 2, 3, 2, 5, 1])),
            setting("shape", [0] * 6, 0, 10),
        ),
        {"free": 37.11675484, "mu_hat": 0.804618},
    ),
}


# -- four regions, whose background is a product of factors ----------------------------


def regions(signal: list, seen: list, start: float = 1) -> Document:
    """Background m in A, m tB in B, m tC in C and m tB tC in D."""
    factors = {"A": (), "B": ("tB",), "C": ("tC",), "D": ("tB", "tC")}
    channels = {}
    for (name, own), events in zip(factors.items(), signal, strict=True):
        scales = [modifier("normfactor", each) for each in ("m", *own)]
        spread = [normsys("bu", 0.95, 1.05)] if name == "A" else []
        channels[name] = [
            sample("sig", [events], MU, normsys("su", 0.9, 1.1)),
            sample("bkg", [1], *scales, *spread),
        ]
    inits = {"m": start, "tB": 1, "tC": 1.0}
    settings = [setting(name, init, 0, 1000) for name, init in inits.items()]
    observed = {name: [n] for name, n in zip(channels, seen, strict=True)}
    return workspace(channels, observed, *settings)


REGIONS = {
    "none in B": Neighbour(
        regions([3.5, 0.7, 0.5, 0.1], [1, 0, 4, 25]),
        {"free": 14.41794408, "CLs_obs": 0.0460699646},
    ),
    "many in D": Neighbour(
        regions([4, 0.5, 0.3, 0.2], [3, 5, 0, 60]),
        {"free": 16.63609069, "CLs_obs": 0.26689948},
    ),
    "few in all": Neighbour(
        regions([2, 0.6, 0.6, 0.3], [0, 2, 1, 9]),
        {"free": 12.72540694, "CLs_obs": 0.0657281433},
    ),
    "none in B and C": Neighbour(
        regions([3.5, 0.7, 0.5, 0.1], [5, 0, 0, 12]),
        {"free": 14.48854168, "CLs_obs": 0.53108754},
    ),
    "more of signal in B": Neighbour(
        regions([3, 2.5, 0.1, 0.1], [4, 3, 0, 30]),
        {"free": 15.51161871, "CLs_obs": 0.522545608},
    ),
    "no start": Neighbour(
        regions([3.5, 0.7, 0.5, 0.1], [4, 6, 8, 11], 0),
        {"free": 18.79990005, "CLs_obs": 0.332891372},
    ),
}


# -- two backgrounds with one histosys -------------------------------------------------


def coupled(
    signal: list, first: list, second: list, seen: list, *, fixed: bool = True
) -> Document:
    """Two backgrounds with one histosys; low, nominal and high events of each bin."""

    def background(name: str, bins: list) -> Document:
        lo, nominal, hi = map(list, zip(*bins, strict=True))
        return sample(name, nominal, modifier("lumi", "lumi"), histosys("a", lo, hi))

    channels = {
        "one": [
            sample("sig", signal, MU),
            background("first", first[:2]),
            background("second", second),
        ],
        "two": [background("first", first[2:])],
    }
    lumi = setting("lumi", 1, 0.5, 1.5)
    lumi |= {"auxdata": [1], "sigmas": [0.1], "fixed": fixed}
    return workspace(channels, {"one": seen[:2], "two": seen[2:]}, lumi)


COUPLED = {
    "up instead of down": Neighbour(
        coupled(
            [29, 33],
            [(61, 70, 81), (68, 83, 90), (76, 93, 102), (67, 75, 87)],
            [(64, 67, 74), (56, 94, 42)],
            [161, 178, 104, 70],
        ),
        {"free": 27.53797029, "fixed": 29.86066363, "CLs_obs": 0.0770962828},
    ),
    "both raise, and the lower side is better": Neighbour(
        coupled(
            [27, 26],
            [(91, 98, 114), (144, 154, 180), (85, 90, 104), (77, 85, 102)],
            [(64, 76, 84), (140, 84, 136)],
            [187, 301, 94, 92],
        ),
        {"free": 27.90850393, "fixed": 29.69722603, "CLs_obs": 0.150879496},
    ),
    "beyond one standard deviation": Neighbour(
        coupled(
            [30, 17],
            [(67, 70, 73), (143, 151, 168), (123, 129, 134), (101, 125, 130)],
            [(67, 74, 78), (32, 65, 29)],
            [173, 187, 147, 136],
        ),
        {"free": 30.33070753, "fixed": 32.10450789, "CLs_obs": 0.10268455},
    ),
    "the start leads where it is much higher": Neighbour(
        coupled(
            [29, 22],
            [(122, 133, 156), (72, 88, 95), (62, 76, 84), (104, 119, 127)],
            [(38, 47, 52), (182, 132, 216)],
            [175, 277, 76, 120],
        ),
        {"free": 29.70815085, "fixed": 32.10367727, "CLs_obs": 0.119973096},
    ),
    "the luminosity is free": Neighbour(
        coupled(
            [39, 25],
            [(96, 102, 118), (150, 155, 174), (102, 109, 125), (103, 119, 130)],
            [(57, 59, 66), (76, 118, 41)],
            [162, 230, 124, 123],
            fixed=False,
        ),
        {"free": 28.10011978, "fixed": 38.18350625, "CLs_obs": 0.00261508395},
    ),
}

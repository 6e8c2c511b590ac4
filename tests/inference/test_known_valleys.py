"""Small models in which a search for valleys once stopped too high, each with why."""

from typing import Any, NamedTuple

import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.status import FitSettings
from tests.inference.test_valleys import misses
from tests.workspaces import (
    MU,
    extended,
    histosys,
    make,
    normsys,
    sample,
    workspace,
)

Side = float | list[float]


class Background(NamedTuple):
    """A sample with two systematics: low and high factors, or low and high rates."""

    nominal: list[float]
    a0: tuple[Side, Side]
    a1: tuple[Side, Side]


class Known(NamedTuple):
    """A model, and the fit that ended too high."""

    missed: str
    observed: list[float]
    signal: list[float]
    backgrounds: list[Background]


KNOWN = {
    # two minima a quarter of a unit apart
    "near together": Known(
        "fixed",
        observed=[191.0, 447.0, 238.0],
        signal=[2.2, 12.3, 6.7],
        backgrounds=[
            Background(
                [110.5, 189.6, 106.0],
                a0=([98.8, 169.6, 117.2], [93.0, 201.2, 96.6]),
                a1=([110.5, 189.6, 106.0], [140.0, 238.9, 136.0]),
            ),
            Background(
                [92.6, 183.6, 121.6],
                a0=([71.9, 132.7, 107.3], [104.7, 212.8, 137.5]),
                a1=([107.6, 220.8, 139.7], [124.4, 254.1, 153.1]),
            ),
        ],
    ),
    # a curve whose straight part another parameter makes up for
    "one-sided": Known(
        "background",
        observed=[124.0, 96.0, 191.0],
        signal=[14.4, 9.7, 6.9],
        backgrounds=[
            Background(
                [35.9, 38.9, 105.2],
                a0=([35.9, 38.9, 105.2], [42.0, 47.5, 142.4]),
                a1=(0.844, 1.156),
            ),
            Background(
                [61.3, 53.6, 155.9],
                a0=(0.816, 1.184),
                a1=([46.6, 47.6, 123.8], [76.4, 63.4, 174.4]),
            ),
        ],
    ),
    # a partner that is bent, not lopsided
    "straight partner": Known(
        "fixed",
        observed=[224.0, 217.0, 155.0],
        signal=[19.8, 28.7, 28.7],
        backgrounds=[
            Background(
                [143.6, 87.4, 35.0],
                a0=([104.8, 60.4, 29.0], [184.5, 110.7, 44.8]),
                a1=([112.7, 68.6, 31.2], [165.4, 102.0, 40.2]),
            ),
            Background(
                [103.1, 137.9, 150.1],
                a0=([90.1, 109.0, 109.8], [114.8, 172.8, 185.2]),
                a1=([86.8, 119.8, 119.1], [126.3, 179.4, 174.8]),
            ),
        ],
    ),
    # a saddle: the rates are even in a0
    "even": Known(
        "background",
        observed=[191.0, 235.0, 332.0],
        signal=[10.0, 21.7, 22.8],
        backgrounds=[
            Background(
                [111.9, 152.2, 175.7],
                a0=(1.159, 1.159),
                a1=([103.1, 134.2, 151.1], [133.1, 178.8, 192.8]),
            ),
            Background(
                [106.8, 60.1, 180.0],
                a0=(1.083, 1.083),
                a1=([84.1, 47.8, 155.5], [133.6, 75.7, 231.2]),
            ),
        ],
    ),
    # the same in both parameters
    "even in both": Known(
        "background",
        observed=[54.0, 67.0, 229.0],
        signal=[17.9, 5.6, 17.2],
        backgrounds=[
            Background(
                [30.8, 42.0, 88.1],
                a0=(1.094, 1.094),
                a1=(1.069, 1.069),
            ),
            Background(
                [31.5, 31.4, 117.6],
                a0=([24.9, 21.1, 73.5], [40.7, 36.4, 139.6]),
                a1=(1.257, 1.257),
            ),
        ],
    ),
    # the likelihood has two minima in mu
    "two values of mu": Known(
        "free",
        observed=[296.0, 399.0, 129.0],
        signal=[15.4, 25.1, 15.5],
        backgrounds=[
            Background(
                [197.3, 184.1, 58.9],
                a0=([113.9, 129.4, 39.7], [246.7, 247.8, 79.1]),
                a1=([256.5, 239.3, 41.2], [167.6, 253.4, 32.9]),
            ),
            Background(
                [43.9, 143.1, 84.8],
                a0=(0.869, 1.131),
                a1=(0.806, 1.194),
            ),
        ],
    ),
    # mu is on its bound, and leaves it where a0 is elsewhere
    "far beyond the bound": Known(
        "free",
        observed=[302.0, 396.0, 252.0],
        signal=[10.5, 17.2, 13.8],
        backgrounds=[
            Background(
                [52.4, 172.7, 44.0],
                a0=([43.6, 100.9, 33.0], [71.0, 227.8, 57.8]),
                a1=(1.057, 1.057),
            ),
            Background(
                [194.1, 189.2, 191.3],
                a0=([162.2, 150.8, 115.3], [261.2, 255.4, 256.9]),
                a1=([140.2, 155.0, 146.9], [233.7, 233.9, 243.0]),
            ),
        ],
    ),
    # the same, where both a0 and a1 are told by another fit
    "inside the bound": Known(
        "free",
        observed=[239.0, 148.0, 222.0],
        signal=[17.5, 20.2, 17.4],
        backgrounds=[
            Background(
                [68.6, 50.0, 152.6],
                a0=([77.0, 43.9, 133.9], [74.2, 46.5, 128.0]),
                a1=([77.0, 58.1, 177.3], [76.3, 56.4, 164.4]),
            ),
            Background(
                [142.2, 116.2, 57.0],
                a0=([142.2, 116.2, 57.0], [185.6, 156.3, 81.0]),
                a1=(0.804, 1.196),
            ),
        ],
    ),
    # the way leads along both a0 and a1, and neither is lower alone
    "a pair nearby": Known(
        "background",
        observed=[357.0, 88.0, 124.0],
        signal=[20.1, 3.2, 15.5],
        backgrounds=[
            Background(
                [194.5, 23.8, 90.3],
                a0=([284.7, 35.0, 118.5], [286.4, 28.1, 111.8]),
                a1=([245.9, 26.6, 116.8], [229.8, 30.8, 99.9]),
            ),
            Background(
                [156.1, 69.3, 25.1],
                a0=([113.7, 45.4, 19.0], [205.0, 80.5, 31.4]),
                a1=([135.1, 59.6, 17.5], [178.5, 85.8, 30.9]),
            ),
        ],
    ),
}


def modifier(name: str, sides: tuple[Side, Side]) -> dict[str, Any]:
    lo, hi = sides
    if isinstance(lo, list):
        data = {"lo_data": lo, "hi_data": hi}
        return {"name": name, "type": "histosys", "data": data}
    return {"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}}


def document(known: Known) -> dict[str, Any]:
    mu = {"name": "mu", "type": "normfactor", "data": None}
    samples = [{"name": "s", "data": known.signal, "modifiers": [mu]}]
    for i, each in enumerate(known.backgrounds):
        own = [modifier("a0", each.a0), modifier("a1", each.a1)]
        samples.append({"name": f"b{i + 1}", "data": each.nominal, "modifiers": own})
    return {
        "channels": [{"name": "c", "samples": samples}],
        "observations": [{"name": "c", "data": known.observed}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_the_lowest_minima_of_known_models_are_found(name):
    assert misses(document(KNOWN[name])) == {}


@pytest.mark.slow
def test_a_single_fit_finds_another_valley_than_that_of_its_start():
    model, data = build(Workspace.parse(document(KNOWN["one-sided"])))
    lowest = fixed_poi_fit(model, data, 0.0)
    settings = FitSettings(valleys="initial")
    initial = fixed_poi_fit(model, data, 0.0, settings=settings)
    assert float(lowest.twice_nll) < float(initial.twice_nll) - 0.2


@pytest.mark.slow
def test_a_point_at_rest_between_two_minima_is_left():
    """At zero the rates have no gradient in a0: both its sides are lower."""
    model, data = build(Workspace.parse(document(KNOWN["even"])))
    found = fixed_poi_fit(model, data, 0.0, settings=FitSettings(valleys="initial"))
    a0 = dict(zip(model.parameters.names, found.params.tolist(), strict=True))["a0"]
    assert abs(a0) == pytest.approx(0.13, abs=0.05)
    assert found.status == 0


def growing() -> dict[str, Any]:
    """A signal that may grow to its bound while systematics take it away again."""
    control = [
        sample(
            *("s", [16.32, 27.07, 14.31], MU),
            histosys("a4", [6.933, 21.38, 12.39], [22.6, 42.32, 19.31]),
            histosys("a0", [7.215, 19.08, 8.51], [18.44, 38.31, 20.93]),
        ),
        sample("t", [156.4, 378.8, 0.0], normsys("a2", 0.8344, 1.226)),
        sample(
            *("u", [3610.0, 2085.0, 1822.0]),
            histosys("a1", [3439.0, 1100.0, 1142.0], [4705.0, 2174.0, 2587.0]),
            {"name": "bins", "type": "shapesys", "data": [609.9, 237.8, 254.8]},
        ),
    ]
    region = [
        sample(
            *("s", [193.6, 453.2], MU, normsys("a4", 0.4609, 1.218)),
            histosys("a4", [213.4, 249.8], [254.6, 624.4]),
        ),
        sample(
            *("t", [3268.0, 1155.0], normsys("a1", 0.4075, 1.423)),
            normsys("a2", 0.5496, 1.231),
            histosys("a1", [1730.0, 1109.0], [4628.0, 1381.0]),
            histosys("a4", [2000.0, 611.3], [5007.0, 1442.0]),
        ),
        sample("u", [233.7, 317.2]),
    ]
    observed = {"c": [2605, 3199, 1514], "r": [3808, 2851]}
    settings = (
        {"name": "mu", "bounds": [[0, 10]]},
        {"name": "a1", "constraint": "none", "bounds": [[-1.5, 2.0]]},
        {"name": "bins", "constraint": "lognormal"},
    )
    document = workspace({"c": control, "r": region}, observed, *settings)
    return extended(document)


@pytest.mark.xfail(strict=True, reason="a free fit does not look along free factors")
def test_a_free_fit_finds_what_one_that_holds_its_signal_at_the_bound_does():
    model, data = make(growing())
    held = fixed_poi_fit(model, data, 10.0)
    assert held.converged
    assert float(fit(model, data).deviance) < float(held.deviance) + 1e-6

"""Are the lowest minima found? Random models with lopsided systematics, by brute force.

Free, at mu = 0, at mu = 1, and at mu = 1 on the Asimov data; see
`tests.reference.valleys`. No fit may end above the lowest minimum by more than 1e-5.
"""

import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import hypotest
from tests.reference.histfactory import HistFactory
from tests.reference.valleys import BOX, NUISANCES, Small, lowest, random_model

ABOVE = 1e-5
HELD = {"free": None, "background": 0.0, "fixed": 1.0, "asimov_fixed": 1.0}


def small_of(model, document, data) -> Small:
    """The same model with data, in the order of the reference."""
    names = [n for n in model.parameters.names if n != "mu"]
    aux = dict(zip(names, np.asarray(data.aux).tolist(), strict=True))
    samples = document["channels"][0]["samples"]
    return Small(samples, np.asarray(data.main), np.array([aux[n] for n in NUISANCES]))


def misses(document) -> dict[str, float]:
    """By how much fits of a test end above the lowest minima, those that do."""
    model, data = build(Workspace.parse(document))
    found = hypotest(model, data, 1.0)
    above = {}
    for name, mu in HELD.items():
        seen = found.asimov_data if name == "asimov_fixed" else data
        known, _ = lowest(small_of(model, document, seen), mu)
        above[name] = float(getattr(found, name).twice_nll) - known
    missed = {name: value for name, value in above.items() if not value < ABOVE}
    if found.status != FitStatus.CONVERGED:
        missed["status"] = float(found.status)
    return missed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["mild", "hard"])
def test_the_lowest_minima_of_some_models_are_found(kind, seed):
    assert misses(random_model(seed, kind)) == {}


@pytest.mark.long
@pytest.mark.parametrize("batch", range(3))
@pytest.mark.parametrize("kind", ["mild", "hard"])
def test_the_lowest_minima_of_many_models_are_found(kind, batch):
    """Another 150; all misses of a batch at once, by seed."""
    seeds = range(100 + 25 * batch, 125 + 25 * batch)
    missed = {seed: misses(random_model(seed, kind)) for seed in seeds}
    assert {seed: what for seed, what in missed.items() if what} == {}


# -- is the reference right, and would it see anything? ----------------------------


@pytest.mark.parametrize("kind", ["mild", "hard"])
def test_the_reference_has_the_likelihood_of_the_other_reference(kind):
    random = np.random.default_rng(5)
    for seed in range(5):
        document = random_model(seed, kind)
        slow = HistFactory(document)
        counts = np.array(document["observations"][0]["data"])
        small = Small(document["channels"][0]["samples"], counts, np.zeros(2))
        for _ in range(5):
            point = {name: random.uniform(*BOX[name]) for name in BOX}
            params = [point[name] for name in slow.parameter_names]
            known = -2.0 * slow.logpdf(params)
            if np.isfinite(known):
                assert float(small.twice_nll(point)) == pytest.approx(known, rel=1e-10)


@pytest.mark.slow
def test_the_reference_polishes_to_the_minimum():
    """The fit of the library ends no more than 1e-8 below, and not above."""
    document = random_model(3, "mild")
    model, data = build(Workspace.parse(document))
    known, point = lowest(small_of(model, document, data), None)
    start = np.array([point[name] for name in model.parameters.names])
    settings = FitSettings(valleys="initial")
    found = fit(model, data, start=start, settings=settings).raise_if_failed()
    assert -1e-8 < float(found.twice_nll) - known < 1e-9


@pytest.mark.long
def test_fits_of_one_valley_miss_some():
    """So that the models can tell a search from none."""
    settings, missed = FitSettings(valleys="initial"), 0
    for seed in range(12):
        document = random_model(seed, "hard")
        model, data = build(Workspace.parse(document))
        found = hypotest(model, data, 1.0, settings=settings)
        small = small_of(model, document, data)
        missed += float(found.background.twice_nll) > lowest(small, 0.0)[0] + ABOVE
    assert missed > 0

"""Upper limits of hfjax and pyhf: how far they are apart, and whose minima are lower.

    python benchmarks/limits.py                       # patches of sbottomA and staus
    python benchmarks/limits.py --patches staus/TStauStau_100_1

pyhf (JAX backend, SciPy's SLSQP with a tolerance of 1e-9) tests two values, 0.05 %
below and above each of our six limits; where a straight line of sqrt(-2 ln CLs) through
these two has CLs = 0.05 is its limit. 2NLL of its fits at our observed limit less that
of ours tells whose minimum is lower where limits differ. For staus hfjax takes the
minimum that the initial values lead to, as pyhf does.
"""

import argparse
import importlib
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from report import circumstances, heading, table
from workloads import data_folder

import hfjax

jax.config.update("jax_enable_x64", True)

VALLEYS = {"staus": "initial"}
"""Minima that are looked for, where they are not the lowest."""
PATCHES = (
    *("sbottomA/T6bbHH_300_205_60", "sbottomA/T6bbHH_600_300_60"),
    *("sbottomA/T6bbHH_800_480_350", "sbottomA/T6bbHH_1000_630_500"),
    *("sbottomA/T6bbHH_1300_950_60", "staus/TStauStau_100_1"),
    *("staus/TStauStau_220_1", "staus/TStauStau_300_40"),
)
COLUMNS = (
    "patch",
    "observed",
    "expected",
    "largest difference",
    "2NLL, pyhf less ours",
)
CODES = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
SIDES = np.array([0.9995, 1.0005])
FITS = {
    "free": "free_fit_to_data",
    "fixed": "fixed_poi_fit_to_data",
    "background": "asimov_pars",
}
"""Fits of a test, as hfjax and pyhf call them."""

Document = dict[str, Any]


def load(name: str, patch: str) -> Document:
    """The workspace of a signal."""
    folder = data_folder() / "likelihoods" / name
    background = hfjax.Workspace.load(folder / "BkgOnly.json")
    patches = hfjax.PatchSet.load(folder / "patchset.json")
    return patches.apply(background, patch).dump()


def ours(document: Document, valleys: str) -> tuple[list[float], dict[str, float]]:
    """All six limits, and 2NLL of the fits at the observed one."""
    model, data = hfjax.build(hfjax.Workspace.parse(document))
    settings = hfjax.FitSettings(valleys=valleys)
    found = hfjax.upper_limit(model, data, settings=settings).raise_if_failed()
    limits = [float(found.observed), *map(float, found.expected)]
    test = hfjax.hypotest(model, data, limits[0], settings=settings)
    return limits, {name: float(getattr(test, name).twice_nll) for name in FITS}


def theirs(
    document: Document, limits: Sequence[float]
) -> tuple[list[float], dict[str, float]]:
    """The same of pyhf, around limits."""
    pyhf = importlib.import_module("pyhf")
    optimizer = pyhf.optimize.scipy_optimizer(tolerance=1e-9)
    pyhf.set_backend("jax", optimizer, precision="64b")
    workspace = pyhf.Workspace(document)
    model = workspace.model(modifier_settings=CODES)
    data = workspace.data(model)
    bounds = model.config.suggested_bounds()

    def test(value: float) -> tuple[Any, ...]:
        bounds[model.config.poi_index] = (0.0, max(10.0, 1.5 * value))
        asked = {"test_stat": "qtilde", "par_bounds": bounds}
        wanted = {"return_expected_set": True, "return_calculator": True}
        return pyhf.infer.hypotest(value, data, model, **asked, **wanted)

    found = []
    for which, limit in enumerate(limits):
        tested = [test(side * limit) for side in SIDES]
        CLs = [float(np.append(obs, np.array(band))[which]) for obs, band, _ in tested]
        low, high = np.sqrt(-2.0 * np.log(CLs))
        part = (np.sqrt(-2.0 * np.log(0.05)) - low) / (high - low)
        found.append(float(limit * (SIDES[0] + part * np.ptp(SIDES))))
    fitted = test(limits[0])[2].fitted_pars
    nll = {
        name: -2.0 * float(model.logpdf(getattr(fitted, key), data)[0])
        for name, key in FITS.items()
    }
    return found, nll


def compared(patch: str) -> list[str]:
    """A row of the table."""
    name, _, own = patch.partition("/")
    document = load(name, own)
    limits, nll = ours(document, VALLEYS.get(name, "lowest"))
    others, their_nll = theirs(document, limits)
    away = np.abs(np.array(others) / limits - 1.0)
    excess = (f"{key} {their_nll[key] - nll[key]:.1e}" for key in FITS)
    figures = f"{limits[0]:.6g}", f"{limits[3]:.6g}", f"{away.max():.1e}"
    return [patch, *figures, ", ".join(excess)]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Upper limits of two tools.")
    parser.add_argument("--patches", nargs="+", default=PATCHES, metavar="NAME/PATCH")
    options = parser.parse_args()
    print(heading(circumstances()))
    rows = []
    for patch in options.patches:
        rows.append(compared(patch))
        print(table(COLUMNS, rows[-1:]), flush=True)
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()

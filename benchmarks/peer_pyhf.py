"""pyhf's side of the comparison; runs in pyhf's own environment.

The JAX backend with SciPy's SLSQP, or with Minuit if asked; interpolation codes 4 and
4p, as hfjax and pyhf's command line have them.
"""

import json
from functools import cache
from importlib import metadata
from time import perf_counter
from typing import Any

import pyhf
from protocol import Reply, Request, serve

CODES = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
DISTRIBUTIONS = ("pyhf", "jax", "jaxlib", "numpy", "scipy")


@cache
def use(optimizer: str) -> None:
    """Choose the minimizer, once: SciPy's SLSQP or Minuit, as they are by default."""
    pyhf.set_backend("jax", getattr(pyhf.optimize, f"{optimizer}_optimizer")())


@cache
def documents(workspace: str, patchset: str) -> tuple[Any, Any]:
    """The two documents, read once: loading is no part of a point's time."""
    with open(workspace, encoding="utf-8") as file:
        base = pyhf.Workspace(json.load(file))
    with open(patchset, encoding="utf-8") as file:
        return base, pyhf.PatchSet(json.load(file))


def about(request: Request) -> Reply:
    """Versions."""
    del request
    return {name: metadata.version(name) for name in DISTRIBUTIONS}


def point(request: Request) -> Reply:
    """One hypothesis test, from the patch to CLs."""
    use(request.get("optimizer") or "scipy")
    base, patches = documents(request["workspace"], request["patchset"])
    start = perf_counter()
    workspace = pyhf.Workspace(patches.apply(base, request["name"]))
    patched = perf_counter()
    model = workspace.model(modifier_settings=CODES)
    data = workspace.data(model)
    built = perf_counter()
    observed, expected, calculator = pyhf.infer.hypotest(
        request["poi"],
        data,
        model,
        test_stat="qtilde",
        return_expected_set=True,
        return_calculator=True,
    )
    cls_obs, cls_exp = float(observed), [float(value) for value in expected]
    tested = perf_counter()
    return {
        "seconds": {
            "patch": patched - start,
            "build": built - patched,
            "hypotest": tested - built,
        },
        "CLs_obs": cls_obs,
        "CLs_exp": cls_exp,
        "twice_nll": {
            name: -2 * float(model.logpdf(pars, data)[0])
            for name, pars in _best_fits(calculator, request["poi"]).items()
        },
    }


def _best_fits(calculator: Any, poi: float) -> dict[str, Any]:
    fits = calculator.fitted_pars
    return {
        "free": fits.free_fit_to_data,
        f"mu={poi:g}": fits.fixed_poi_fit_to_data,
        "mu=0": fits.asimov_pars,
    }


if __name__ == "__main__":
    serve({"about": about, "point": point})

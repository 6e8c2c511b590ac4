"""Workspaces that have a meaning as a model: small ones by hand, and many by chance."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.model.settings import ModelSettings
from tests.reference.histfactory import HistFactory

Document = dict[str, Any]


def modifier(kind: str, name: str, data: Any = None) -> Document:
    """A modifier; normfactor, shapefactor and lumi have no data."""
    return {"name": name, "type": kind, "data": data}


def normsys(name: str, lo: float, hi: float) -> Document:
    """A factor that is interpolated."""
    return modifier("normsys", name, {"lo": lo, "hi": hi})


def histosys(name: str, lo: list, hi: list) -> Document:
    """A shape that is interpolated."""
    return modifier("histosys", name, {"lo_data": lo, "hi_data": hi})


def sample(name: str, data: list, *modifiers: Document) -> Document:
    """A sample with its modifiers."""
    return {"name": name, "data": list(data), "modifiers": list(modifiers)}


def workspace(
    channels: dict[str, list[Document]],
    *settings: Document,
    poi: str = "",
    observed: dict[str, list] | None = None,
) -> Document:
    """A document from samples by channel and settings of parameters.

    Without `observed`, each channel counts what its first sample expects.
    """
    counts = observed or {name: found[0]["data"] for name, found in channels.items()}
    config = {"poi": poi, "parameters": list(settings)}
    return {
        "channels": [{"name": c, "samples": s} for c, s in channels.items()],
        "observations": [{"name": c, "data": list(d)} for c, d in counts.items()],
        "measurements": [{"name": "search", "config": config}],
        "version": "1.0.0",
    }


def one_sample(
    *modifiers: Document, data: tuple = (10.0,), observed: tuple = (9.0,)
) -> Document:
    """A workspace with a single channel SR and a single sample."""
    channel = {"SR": [sample("top", list(data), *modifiers)]}
    return workspace(channel, observed={"SR": list(observed)})


LUMI = {
    "name": "lumi",
    "inits": [1.0],
    "bounds": [[0.5, 1.5]],
    "auxdata": [1.0],
    "sigmas": [0.02],
}
MU = modifier("normfactor", "mu")


def all_kinds() -> Document:
    """All seven types of modifiers, shared and not, in channels of 1 and 3 bins."""
    shape = histosys("tilt", [18, 24, 41], [23, 21, 38])
    top_sr = [
        *(shape, normsys("tilt", 0.9, 1.2), normsys("xsec", 0.7, 1.25)),
        *(modifier("lumi", "lumi"), modifier("staterror", "stat_SR", [2, 1, 0])),
    ]
    fakes = [
        modifier("shapesys", "fake", [1.0, 0.0, 2.0]),
        modifier("normfactor", "k_fake"),
        normsys("xsec", 1.1, 0.8),
    ]
    signal = [MU, modifier("lumi", "lumi"), normsys("acceptance", 0.8, 1.3)]
    stat = modifier("staterror", "stat_SR", [0.5, 0.5, 0.0])
    free = [modifier("shapefactor", "free"), histosys("tilt", [55], [66])]
    return workspace(
        {
            "SR": [
                sample("signal", [2, 5, 1], *signal, stat),
                sample("top", [20, 22, 40], *top_sr),
                sample("fakes", [4, 0, 3], *fakes),
            ],
            "CR": [
                sample("top", [60], *free, normsys("xsec", 0.6, 1.5)),
                sample("signal", [1], *signal),
            ],
        },
        LUMI,
        poi="mu",
        observed={"SR": [25, 24, 47], "CR": [58]},
    )


# -- what a document means ---------------------------------------------------------


def parse(document: Document) -> Workspace:
    """The document as the library reads it."""
    return Workspace.parse(document)


def make(document: Document, **settings: Any):
    """Model and data of a document."""
    return build(parse(document), settings=ModelSettings(**settings))


def reference(document: Document, **settings: str) -> HistFactory:
    """The same likelihood by slow loops."""
    return HistFactory(document, **settings)


def some_params(names: tuple[str, ...], seed: int, width: float = 0.6) -> np.ndarray:
    """Random parameters: alphas around 0, the others around 1 and positive."""
    noise = np.random.default_rng(seed).normal(size=len(names))
    alphas = np.array([name in ALPHAS for name in names])
    return np.where(alphas, width * noise, np.exp(0.3 * width * noise))


ALPHAS = ("tilt", "xsec", "acceptance", "n0", "n1", "h0", "h1")
"""Names of interpolated modifiers in these documents; all other parameters scale."""

# -- documents by chance -----------------------------------------------------------

FACTORS = st.one_of(st.just(0.0), st.floats(0.05, 2.5))
YIELDS = st.one_of(st.just(0), st.integers(0, 50), st.floats(0.01, 200.0))
ERRORS = st.one_of(st.just(0.0), st.floats(0.01, 20.0))


def per_bin(values: st.SearchStrategy, bins: int) -> st.SearchStrategy[list]:
    """One value for each bin."""
    return st.lists(values, min_size=bins, max_size=bins)


@st.composite
def modifiers(draw: st.DrawFn, channel: str, name: str, bins: int) -> list[Document]:
    """Modifiers of one sample in one channel: each type, or not, with shared names."""
    interpolated = st.lists(st.sampled_from(ALPHAS[3:]), max_size=3, unique=True)
    found = [normsys(n, draw(FACTORS), draw(FACTORS)) for n in draw(interpolated)]
    each = per_bin(YIELDS, bins)
    found += [histosys(n, draw(each), draw(each)) for n in draw(interpolated)]
    optional = {
        "lumi": ("lumi", None),
        "normfactor": (draw(st.sampled_from(["mu", "k"])), None),
        "shapefactor": (f"free_{bins}", None),
        "shapesys": (f"shape_{channel}_{name}", draw(per_bin(ERRORS, bins))),
        "staterror": (f"stat_{channel}", draw(per_bin(ERRORS, bins))),
    }
    kinds = draw(st.lists(st.sampled_from(sorted(optional)), max_size=5, unique=True))
    return found + [modifier(kind, *optional[kind]) for kind in kinds]


@st.composite
def samples(draw: st.DrawFn, channel: str, bins: int) -> list[Document]:
    """One to three samples of a channel, in any order."""
    names = st.lists(
        st.sampled_from(["signal", "top", "W", "fakes"]),
        min_size=1,
        max_size=3,
        unique=True,
    )
    return [
        sample(name, draw(per_bin(YIELDS, bins)), *draw(modifiers(channel, name, bins)))
        for name in draw(names)
    ]


@st.composite
def settings_of(draw: st.DrawFn, name: str) -> Document:
    """What a measurement may say about a parameter: of any length one type allows."""
    if name == "lumi":
        return dict(LUMI)
    optional = {
        "inits": st.just([draw(st.floats(0.5, 1.5))]),
        "bounds": st.just([[draw(st.floats(-6, -0.5)), draw(st.floats(2, 8))]]),
        "fixed": st.booleans(),
    }
    if name in ALPHAS:
        optional["auxdata"] = st.just([draw(st.floats(-1, 1))])
        optional["sigmas"] = st.just([draw(st.floats(0.3, 3))])
    return {"name": name, **draw(st.fixed_dictionaries({}, optional=optional))}


@st.composite
def workspaces(draw: st.DrawFn) -> Document:
    """A workspace of up to three channels, with overrides of parameters."""
    names = st.lists(
        st.sampled_from(["SR", "CR_b", "CR_a"]), min_size=1, max_size=3, unique=True
    )
    widths = {name: draw(st.integers(1, 3)) for name in draw(names)}
    channels = {name: draw(samples(name, bins)) for name, bins in widths.items()}
    entries = [draw(settings_of(name)) for name in ("lumi", "mu", *ALPHAS[3:])]
    observed = {name: draw(per_bin(YIELDS, bins)) for name, bins in widths.items()}
    return workspace(channels, *entries, poi="mu", observed=observed)


@st.composite
def params_of(draw: st.DrawFn, model: HistFactory) -> list[float]:
    """Parameters of a workspace: zeros and large pulls are as likely as others."""
    alpha = st.sampled_from([-3.0, -1.7, -1.0, -0.9, -0.4, 0.0, 0.3, 1.0, 1.2, 2.5])
    scale = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.1, 3.0))
    return [draw(alpha if name in ALPHAS else scale) for name in model.parameter_names]

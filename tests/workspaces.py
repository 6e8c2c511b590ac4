"""Workspaces for the tests, as documents: by hand from samples, and many by chance.

Documents and not `hfjax.Workspace`, as most tests change one or break it, and builders
of the package refuse what is wrong. Not called `documents`: beside the folder
`tests/documents`, one name would hide the other.
"""

import copy
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hfjax
from tests.reference.histfactory import HistFactory

Document = dict[str, Any]

PLAIN, EXTENDED = "1.0.0", "1.0.0+hfjax.1"
"""Versions of the format."""

# -- parts -------------------------------------------------------------------------


def modifier(kind: str, name: str, data: Any = None) -> Document:
    """A modifier; normfactor, shapefactor and lumi have no data."""
    return {"name": name, "type": kind, "data": data}


def normsys(name: str, lo: float, hi: float) -> Document:
    """A factor on a sample in a channel, which is interpolated."""
    return modifier("normsys", name, {"lo": lo, "hi": hi})


def histosys(name: str, lo: list, hi: list) -> Document:
    """A shape, which is interpolated."""
    return modifier("histosys", name, {"lo_data": lo, "hi_data": hi})


def sample(name: str, data: list, *modifiers: Document) -> Document:
    """A sample with its modifiers."""
    return {"name": name, "data": list(data), "modifiers": list(modifiers)}


MU = modifier("normfactor", "mu")
LUMI = {
    "name": "lumi",
    "inits": [1.0],
    "bounds": [[0.5, 1.5]],
    "auxdata": [1.0],
    "sigmas": [0.02],
}


def given(name: str, expression: str) -> Document:
    """What a measurement says about a parameter that an expression gives."""
    return {"name": name, "expression": expression}


def workspace(
    channels: dict[str, list[Document]],
    observed: dict[str, list] | None = None,
    *settings: Document,
    poi: str | None = None,
) -> Document:
    """A workspace with one measurement, from samples by channel.

    Without `observed`, each channel counts what its first sample expects. Without
    `poi`, that is mu where a sample has it.
    """
    counts = observed or {name: found[0]["data"] for name, found in channels.items()}
    if poi is None:
        found = [each for samples in channels.values() for each in samples]
        poi = "mu" if any(MU in each["modifiers"] for each in found) else ""
    config = {"poi": poi, "parameters": list(settings)}
    document = {
        "channels": [{"name": c, "samples": s} for c, s in channels.items()],
        "observations": [{"name": c, "data": list(d)} for c, d in counts.items()],
        "measurements": [{"name": "search", "config": config}],
        "version": PLAIN,
    }
    return copy.deepcopy(document)  # parts are shared, and tests change documents


def extended(document: Document, *settings: Document) -> Document:
    """The document in the extended version, with other settings of parameters."""
    document = copy.deepcopy(document)
    config = document["measurements"][0]["config"]
    names = {entry["name"] for entry in settings}
    kept = [entry for entry in config["parameters"] if entry["name"] not in names]
    config["parameters"] = [*kept, *copy.deepcopy(list(settings))]
    return {**document, "version": EXTENDED}


def patch(name: str, value: Any, operations: list[Document]) -> Document:
    """A patch with one value."""
    return {"metadata": {"name": name, "values": [value]}, "patch": operations}


def patchset(patches: list[Document], label: str = "mass") -> Document:
    """A patchset with one label, of the two-bin example."""
    digest = "dad8822af55205d60152cbe4303929042dbd9d4839012e055e7c6b6459d68d73"
    metadata = {
        "references": {"hepdata": "ins1234567"},
        "digests": {"sha256": digest},
        "labels": [label],
        "description": "signals",
    }
    return {"metadata": metadata, "patches": patches, "version": PLAIN}


# -- examples ----------------------------------------------------------------------


def two_bins() -> Document:
    """The two-bin example of the field, as published."""
    events = [50.0, 60.0]
    search = hfjax.uncorrelated_background([5.0, 10.0], events, [5.0, 12.0], events)
    return search.dump()


def lopsided() -> Document:
    """A background that falls on one side of a systematic, and may make two valleys."""
    one_sided = histosys("a", [90.0, 60.0], [80.0, 75.0])
    samples = [sample("s", [9.0, 4.0], MU), sample("b", [95.0, 60.0], one_sided)]
    return workspace({"SR": samples}, {"SR": [99.0, 66.0]})


def empty_control() -> Document:
    """A free factor on the background, and a control region in which nothing is seen.

    Its rate falls to zero with the factor. The likelihood is convex, and best at
    ``k = 0.04899267, mu = 0.10164835``.
    """
    factor = modifier("normfactor", "k")
    signal, bkg = sample("s", [3.0, 8.0], MU), sample("b", [10.0, 6.0], factor)
    regions = {"SR": [signal, bkg], "CR": [sample("b", [2.0], factor)]}
    return workspace(regions, {"SR": [1.0, 1.0], "CR": [0.0]})


HELLO = ([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
"""Signal, background and its uncertainty of the example that everybody knows."""


def shapesys(
    signal: list, background: list, uncertainty: list, observed: list, **mu: Any
) -> hfjax.Workspace:
    """The textbook: a signal, and a background with one gamma a bin.

    Keywords are settings of mu, such as its bounds.
    """
    gamma = modifier("shapesys", "gamma", uncertainty)
    samples = [sample("signal", signal, MU), sample("bkg", background, gamma)]
    settings = [{"name": "mu", **mu}] if mu else []
    return hfjax.Workspace.parse(
        workspace({"SR": samples}, {"SR": observed}, *settings)
    )


def one_sample(
    *modifiers: Document, data: tuple = (10.0,), observed: tuple = (9.0,)
) -> Document:
    """A workspace with a single channel SR and a single sample."""
    return workspace({"SR": [sample("top", [*data], *modifiers)]}, {"SR": [*observed]})


def many_bins(bins: int = 12) -> Document:
    """More bins than parameters that act in several of them."""
    up, down = np.linspace(1.2, 0.9, bins), np.linspace(0.85, 1.1, bins)
    flat = np.linspace(40.0, 20.0, bins)
    signal = sample("signal", [3.0 + b % 4 for b in range(bins)], MU)
    top = sample(
        "top",
        flat.tolist(),
        normsys("xsec", 0.9, 1.12),
        histosys("scale", (flat * down).tolist(), (flat * up).tolist()),
        modifier("staterror", "stat_SR", (0.1 * flat).tolist()),
    )
    fakes = sample("fakes", [6.0] * bins, modifier("shapesys", "fakes", [2.0] * bins))
    side = sample(
        "top", [90.0], normsys("xsec", 0.93, 1.05), modifier("normfactor", "k")
    )
    counts = [float(round(x) + 8 + 3 * (-1) ** i) for i, x in enumerate(flat)]
    counted = {"SR": counts, "CR": [97.0]}
    return workspace({"SR": [signal, top, fakes], "CR": [side]}, counted)


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
        {"SR": [25, 24, 47], "CR": [58]},
        LUMI,
    )


def all_modifiers() -> Document:
    """Modifiers of all types and settings of all kinds, in what is no model yet.

    A channel that patches would add has been observed, and data are zero or integers.
    """
    modifiers = [
        histosys("h", [1], [2.5]),
        *(modifier("lumi", "lumi"), MU, normsys("n", 0.9, 1)),
        *(modifier("shapefactor", "f"), modifier("shapesys", "s", [1])),
        modifier("staterror", "t", [0.5]),
    ]
    lumi = {"name": "lumi", "auxdata": [1], "sigmas": [0.1], "bounds": [[0, 10.0]]}
    other = {"name": "h", "inits": [0], "factors": [1], "fixed": False}
    channels, observed = {"SR": [sample("top", [3], *modifiers)]}, {"SR": [3]}
    return workspace(channels, observed | {"CR": [1, 2]}, lumi, other, poi="")


def all_settings() -> Document:
    """The same with kinds of constraint terms, thresholds and an expression."""
    document = all_modifiers()
    document["version"] = EXTENDED
    document["measurements"][0]["config"]["parameters"] += [
        {"name": "n", "constraint": "lognormal", "sigmas": [0.2]},
        {"name": "s", "constraint": "normal"},
        {"name": "t", "constraint": "poisson", "threshold": 0.05},
        {"name": "unused", "constraint": "none", "threshold": 0},
        given("f2", "2 * f"),
    ]
    return document


# -- what a document means ---------------------------------------------------------


def make(document: Document, **settings: Any) -> tuple[hfjax.Model, hfjax.Data]:
    """Model and data of a document."""
    parsed = hfjax.Workspace.parse(document)
    return hfjax.build(parsed, settings=hfjax.ModelSettings(**settings))


ALPHAS = ("tilt", "xsec", "acceptance", "n0", "n1", "h0", "h1")
"""Names of interpolated modifiers in these documents; all other parameters scale."""


def some_params(names: tuple[str, ...], seed: int, width: float = 0.6) -> np.ndarray:
    """Random parameters: alphas around 0, the others around 1 and positive."""
    noise = np.random.default_rng(seed).normal(size=len(names))
    alphas = np.array([name in ALPHAS for name in names])
    return np.where(alphas, width * noise, np.exp(0.3 * width * noise))


# -- models by chance --------------------------------------------------------------

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
    known = st.sampled_from(["signal", "top", "W", "fakes"])
    return [
        sample(name, draw(per_bin(YIELDS, bins)), *draw(modifiers(channel, name, bins)))
        for name in draw(st.lists(known, min_size=1, max_size=3, unique=True))
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
    """A workspace of up to three channels, with settings of parameters: a model."""
    known = st.sampled_from(["SR", "CR_b", "CR_a"])
    names = draw(st.lists(known, min_size=1, max_size=3, unique=True))
    widths = {name: draw(st.integers(1, 3)) for name in names}
    channels = {name: draw(samples(name, bins)) for name, bins in widths.items()}
    entries = [draw(settings_of(name)) for name in ("lumi", "mu", *ALPHAS[3:])]
    observed = {name: draw(per_bin(YIELDS, bins)) for name, bins in widths.items()}
    return workspace(channels, observed, *entries, poi="mu")


@st.composite
def params_of(draw: st.DrawFn, model: HistFactory) -> list[float]:
    """Parameters of a workspace: zeros and large pulls are as likely as others."""
    alpha = st.sampled_from([-3.0, -1.7, -1.0, -0.9, -0.4, 0.0, 0.3, 1.0, 1.2, 2.5])
    scale = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.1, 3.0))
    return [draw(alpha if name in ALPHAS else scale) for name in model.parameter_names]


# -- forms by chance: what the schemas accept, whatever it means -----------------------

NUMBERS = st.one_of(
    st.integers(-10, 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
NAMES = st.text(st.characters(codec="utf-8"), max_size=4)


def named(
    forms: st.SearchStrategy[Document], **sizes: int
) -> st.SearchStrategy[list[Document]]:
    """A list of documents with different names."""
    return st.lists(forms, unique_by=lambda found: found["name"], **sizes)


@st.composite
def modifier_forms(draw: st.DrawFn, bins: int) -> Document:
    """A modifier of any type, for a sample with so many bins."""
    data, nothing = per_bin(NUMBERS, bins), st.none()
    kinds = {
        "histosys": st.fixed_dictionaries({"lo_data": data, "hi_data": data}),
        "normsys": st.fixed_dictionaries({"lo": NUMBERS, "hi": NUMBERS}),
        **dict.fromkeys(("lumi", "normfactor", "shapefactor"), nothing),
        **dict.fromkeys(("shapesys", "staterror"), data),
    }
    kind = draw(st.sampled_from(sorted(kinds)))
    return modifier(kind, "lumi" if kind == "lumi" else draw(NAMES), draw(kinds[kind]))


@st.composite
def channel_forms(draw: st.DrawFn) -> Document:
    """A channel with a few samples."""
    bins = draw(st.integers(1, 3))
    kinds = st.lists(
        modifier_forms(bins),
        max_size=4,
        unique_by=lambda found: (found["name"], found["type"]),
    )
    parts = {"name": NAMES, "data": per_bin(NUMBERS, bins), "modifiers": kinds}
    found = named(st.fixed_dictionaries(parts), min_size=1, max_size=3)
    return {"name": draw(NAMES), "samples": draw(found)}


@st.composite
def settings_forms(draw: st.DrawFn, version: str) -> Document:
    """The settings of a parameter set; any key but the name may be absent."""
    size = draw(st.integers(1, 2))
    keys = ("inits", "auxdata", "factors", "sigmas")
    optional: dict[str, Any] = {key: per_bin(NUMBERS, size) for key in keys}
    optional["bounds"] = per_bin(per_bin(NUMBERS, 2), size)
    optional["fixed"] = st.booleans()
    if version == EXTENDED:
        kinds = ["normal", "poisson", "lognormal", "gamma", "none"]
        optional["constraint"] = st.sampled_from(kinds)
        optional["threshold"] = st.floats(0, 1) | st.integers(0, 2)
    return draw(st.fixed_dictionaries({"name": NAMES}, optional=optional))


@st.composite
def forms(draw: st.DrawFn, version: str = PLAIN) -> Document:
    """A document that has the form of a workspace."""
    found = draw(named(channel_forms(), min_size=1, max_size=3))
    settings = named(settings_forms(version), max_size=2)
    config = st.fixed_dictionaries({"poi": NAMES, "parameters": settings})
    measurement = st.fixed_dictionaries({"name": NAMES, "config": config})
    observations = [
        {
            "name": c["name"],
            "data": draw(per_bin(NUMBERS, len(c["samples"][0]["data"]))),
        }
        for c in found
    ]
    return {
        "channels": found,
        "measurements": draw(named(measurement, min_size=1)),
        "observations": draw(st.permutations(observations)),
        "version": version,
    }

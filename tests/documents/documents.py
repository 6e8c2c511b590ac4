"""Documents for the tests: small ones by hand, and strategies that make many."""

import copy
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(-10, 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
NAMES = st.text(st.characters(codec="utf-8"), max_size=4)
JUNK = st.sampled_from(
    [
        *(None, True, 0, 1.5, 10**400, float("nan"), "", "x", "lumi", "1.0.0", "/a"),
        *([], {}, [1], ["x"], [True], [[1, 2]], {"name": "x"}, {"op": "add"}),
        *("1.0.0+hfjax.1", "gamma", "gaussian", -1, -0.5),
    ]
).map(copy.deepcopy)


def two_bins() -> dict[str, Any]:
    """The two-bin example of the field, as published."""
    mu = {"name": "mu", "type": "normfactor", "data": None}
    shape = {"name": "uncorr_bkguncrt", "type": "shapesys", "data": [5.0, 12.0]}
    signal = {"name": "signal", "data": [5.0, 10.0], "modifiers": [mu]}
    background = {"name": "background", "data": [50.0, 60.0], "modifiers": [shape]}
    channel = {"name": "singlechannel", "samples": [signal, background]}
    config = {"poi": "mu", "parameters": []}
    return {
        "channels": [channel],
        "observations": [{"name": "singlechannel", "data": [50.0, 60.0]}],
        "measurements": [{"name": "Measurement", "config": config}],
        "version": "1.0.0",
    }


def all_modifiers() -> dict[str, Any]:
    """A workspace with modifiers of all types and settings of all kinds."""
    modifiers = [
        {"name": "h", "type": "histosys", "data": {"lo_data": [1], "hi_data": [2.5]}},
        {"name": "lumi", "type": "lumi", "data": None},
        {"name": "mu", "type": "normfactor", "data": None},
        {"name": "n", "type": "normsys", "data": {"lo": 0.9, "hi": 1}},
        {"name": "f", "type": "shapefactor", "data": None},
        {"name": "s", "type": "shapesys", "data": [1]},
        {"name": "t", "type": "staterror", "data": [0.5]},
    ]
    sample = {"name": "top", "data": [3], "modifiers": modifiers}
    lumi = {"name": "lumi", "auxdata": [1], "sigmas": [0.1], "bounds": [[0, 10.0]]}
    other = {"name": "h", "inits": [0], "factors": [1], "fixed": False}
    config = {"poi": "", "parameters": [lumi, other]}
    return {
        "channels": [{"name": "SR", "samples": [sample]}],
        "observations": [{"name": "SR", "data": [3]}, {"name": "CR", "data": [1, 2]}],
        "measurements": [{"name": "m", "config": config}],
        "version": "1.0.0",
    }


def extended() -> dict[str, Any]:
    """A workspace that says of which kind constraint terms are, and thresholds."""
    document = all_modifiers()
    document["version"] = "1.0.0+hfjax.1"
    document["measurements"][0]["config"]["parameters"] += [
        {"name": "n", "constraint": "lognormal", "sigmas": [0.2]},
        {"name": "s", "constraint": "normal"},
        {"name": "t", "constraint": "poisson", "threshold": 0.05},
        {"name": "unused", "constraint": "none", "threshold": 0},
        {"name": "f2", "expression": "2 * f"},
    ]
    return document


def patchset(patches: list[dict[str, Any]]) -> dict[str, Any]:
    """A patchset with one label, of the two-bin example."""
    digest = "dad8822af55205d60152cbe4303929042dbd9d4839012e055e7c6b6459d68d73"
    metadata = {
        "references": {"hepdata": "ins1234567"},
        "digests": {"sha256": digest},
        "labels": ["mass"],
        "description": "signals",
    }
    return {"metadata": metadata, "patches": patches, "version": "1.0.0"}


def patch(name: str, value: Any, operations: list[dict[str, Any]]) -> dict[str, Any]:
    """A patch with one value."""
    return {"metadata": {"name": name, "values": [value]}, "patch": operations}


def data(bins: int) -> st.SearchStrategy[list[Any]]:
    """One number a bin."""
    return st.lists(NUMBERS, min_size=bins, max_size=bins)


@st.composite
def modifiers(draw: st.DrawFn, bins: int) -> dict[str, Any]:
    """A modifier of any type, for a sample with so many bins."""
    kinds = {
        "histosys": st.fixed_dictionaries(
            {"lo_data": data(bins), "hi_data": data(bins)}
        ),
        "lumi": st.none(),
        "normfactor": st.none(),
        "normsys": st.fixed_dictionaries({"lo": NUMBERS, "hi": NUMBERS}),
        "shapefactor": st.none(),
        "shapesys": data(bins),
        "staterror": data(bins),
    }
    kind = draw(st.sampled_from(sorted(kinds)))
    name = "lumi" if kind == "lumi" else draw(NAMES)
    return {"name": name, "type": kind, "data": draw(kinds[kind])}


@st.composite
def channels(draw: st.DrawFn) -> dict[str, Any]:
    """A channel with a few samples."""
    bins = draw(st.integers(1, 3))
    kinds = st.lists(
        modifiers(bins),
        max_size=4,
        unique_by=lambda found: (found["name"], found["type"]),
    )
    sample = st.fixed_dictionaries(
        {"name": NAMES, "data": data(bins), "modifiers": kinds}
    )
    samples = st.lists(sample, min_size=1, max_size=3, unique_by=_name)
    return {"name": draw(NAMES), "samples": draw(samples)}


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """The settings of a parameter set; any key but the name may be absent."""
    size = draw(st.integers(1, 2))
    optional = {key: data(size) for key in ("inits", "auxdata", "factors", "sigmas")}
    optional["bounds"] = st.lists(data(2), min_size=size, max_size=size)
    optional["fixed"] = st.booleans()
    return draw(st.fixed_dictionaries({"name": NAMES}, optional=optional))


@st.composite
def extended_parameters(draw: st.DrawFn) -> dict[str, Any]:
    """The settings of a parameter set, perhaps with a constraint and a threshold."""
    kinds = st.sampled_from(["normal", "poisson", "lognormal", "gamma", "none"])
    more = {"constraint": kinds, "threshold": st.floats(0, 1) | st.integers(0, 2)}
    return draw(parameters()) | draw(st.fixed_dictionaries({}, optional=more))


@st.composite
def workspaces(draw: st.DrawFn, version: str = "1.0.0") -> dict[str, Any]:
    """A document that is a workspace."""
    settings = parameters() if version == "1.0.0" else extended_parameters()
    found = draw(st.lists(channels(), min_size=1, max_size=3, unique_by=_name))
    config = st.fixed_dictionaries(
        {
            "poi": NAMES,
            "parameters": st.lists(settings, max_size=2, unique_by=_name),
        }
    )
    measurement = st.fixed_dictionaries({"name": NAMES, "config": config})
    observations = [
        {"name": one["name"], "data": draw(data(len(one["samples"][0]["data"])))}
        for one in found
    ]
    return {
        "channels": found,
        "measurements": draw(st.lists(measurement, min_size=1, unique_by=_name)),
        "observations": draw(st.permutations(observations)),
        "version": version,
    }


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> Any:
    """A document in which one or two values are replaced, removed or added."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(1, 2))):
        parent, key = draw(st.sampled_from(list(places(document)) or [(None, None)]))
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if parent is None:
            return draw(JUNK)
        if change == "replace":
            parent[key] = draw(JUNK)
        elif change == "remove":
            del parent[key]
        elif isinstance(parent, list):
            parent.insert(key, draw(JUNK))
        else:
            keys = ["name", "data", "new", "fixed", "constraint", "threshold"]
            keys.append("expression")
            parent[draw(st.sampled_from(keys))] = draw(JUNK)
    return document


def places(document: Any) -> Any:
    """Yield the parent and the key of every value inside a document."""
    keys: Any = ()
    if isinstance(document, dict):
        keys = list(document)
    elif isinstance(document, list):
        keys = range(len(document))
    for key in keys:
        yield document, key
        yield from places(document[key])


def _name(document: dict[str, Any]) -> Any:
    return document["name"]

"""Extended workspaces: parameters whose constraint terms are of another kind."""

from typing import Any

from hypothesis import strategies as st

from tests.workspaces import (
    ALPHAS,
    LUMI,
    MU,
    Document,
    extended,
    histosys,
    modifier,
    normsys,
    sample,
    workspace,
    workspaces,
)

KINDS = ("normal", "poisson", "lognormal", "gamma", "none")


def setting(name: str, constraint: str, **values: Any) -> Document:
    """What a measurement says about a parameter."""
    return {"name": name, "constraint": constraint, **values}


ALPHA_KINDS = {"a0": "normal", "a1": "poisson", "a2": "lognormal", "a3": "none"}
SETTINGS = (
    setting("a0", "normal", sigmas=[0.8]),
    setting("a1", "poisson", sigmas=[0.2]),
    setting("a2", "lognormal", sigmas=[0.3], auxdata=[1.1]),
    setting("a3", "none", bounds=[[-1.5, 1.5]]),
    setting("a4", "gamma", sigmas=[0.25], factors=[20.0]),
    setting("lumi", "lognormal", **{k: LUMI[k] for k in LUMI if k != "name"}),
    setting("stat_A", "poisson", threshold=0.06),
    setting("stat_B", "lognormal"),
    setting("stat_C", "gamma"),
    setting("shape_A", "normal"),
    setting("shape_B", "lognormal", sigmas=[0.2, 0.1]),
    setting("shape_C", "gamma"),
    setting("k", "none"),
)


def all_constraints() -> Document:
    """Every kind of constraint term on every type that may have it.

    A signal, and two backgrounds in three channels; no direction is flat.
    """
    channels, observed = {}, {"A": [66, 47, 37], "B": [92, 83], "C": [155, 108]}
    for i, (name, counts) in enumerate(observed.items()):
        nominal = [0.75 * n for n in counts]
        tilt = [1 + 0.06 * b for b in range(len(counts))]
        lo = [n / t for n, t in zip(nominal, tilt, strict=True)]
        hi = [1.02 * n * t for n, t in zip(nominal, tilt, strict=True)]
        systs = [normsys("a0", 0.93, 1.08), histosys("a1", lo, hi)]
        systs += [normsys("a2", 0.9, 1.05), normsys("a3", 1 - 0.1 * i, 1 + 0.2 * i)]
        errors = [0.05 * n * (1 + 0.3 * b) for b, n in enumerate(nominal)]
        stat = modifier("staterror", f"stat_{name}", errors)
        shape = modifier("shapesys", f"shape_{name}", [3.0 + b for b in range(len(lo))])
        channels[name] = [
            sample("top", nominal, *systs, stat, modifier("lumi", "lumi")),
            sample("W", [0.2 * n for n in counts], shape, normsys("a4", 0.8, 1.2)),
            sample("signal", [9.0 - 3 * i, *[2.0] * (len(lo) - 1)], MU),
        ]
    channels["C"][1]["modifiers"].append(modifier("normfactor", "k"))
    return extended(workspace(channels, observed), *SETTINGS)


def names_by_type(document: Document) -> dict[str, dict[str, int]]:
    """Names and numbers of bins of all modifiers, by type."""
    found: dict[str, dict[str, int]] = {}
    for channel in document["channels"]:
        for one in channel["samples"]:
            for each in one["modifiers"]:
                bins = len(one["data"])
                found.setdefault(each["type"], {})[each["name"]] = bins
    return found


RELATIVE = st.sampled_from([0.05, 0.2, 0.25, 0.3, 0.5, 1.0])
PER_BIN = {
    "staterror": {"lognormal": "sigmas", "poisson": "factors", "gamma": "factors"},
    "shapesys": {"lognormal": "sigmas", "normal": "sigmas", "gamma": "factors"},
}


@st.composite
def alpha_settings(draw: st.DrawFn, name: str) -> Document:
    """Settings of an interpolation parameter of any kind."""
    kind = draw(st.sampled_from(KINDS))
    if kind == "none":
        return setting(name, kind)
    optional = {"sigmas": RELATIVE.map(lambda v: [v]), "auxdata": st.just([1.3])}
    if kind in ("poisson", "gamma"):
        optional["factors"] = st.just([draw(st.floats(0.5, 50.0))])
    return setting(name, kind, **draw(st.fixed_dictionaries({}, optional=optional)))


@st.composite
def bin_settings(draw: st.DrawFn, name: str, kind: str, bins: int) -> Document:
    """Settings of the gammas of a staterror or a shapesys of any kind."""
    chosen = draw(st.sampled_from(KINDS))
    values = {}
    key = PER_BIN[kind].get(chosen)
    if key and draw(st.booleans()):
        values[key] = draw(st.lists(st.floats(0.1, 3), min_size=bins, max_size=bins))
    if kind == "staterror" and draw(st.booleans()):
        values["threshold"] = draw(st.floats(0, 0.5))
    return setting(name, chosen, **values)


@st.composite
def extended_workspaces(draw: st.DrawFn) -> Document:
    """A workspace whose constraint terms are of kinds by chance."""
    document = draw(workspaces())
    found = names_by_type(document)
    alphas = [name for name in ALPHAS[3:] if draw(st.booleans())]
    settings = [draw(alpha_settings(name)) for name in alphas]
    for kind in ("staterror", "shapesys"):
        for name, bins in sorted(found.get(kind, {}).items()):
            settings.append(draw(bin_settings(name, kind, bins)))
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["poisson", "lognormal", "gamma"]))
        lumi = {**LUMI, "auxdata": [1.25], "constraint": kind}
        settings.append(lumi)
    return extended(document, *settings)

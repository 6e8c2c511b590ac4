"""Workspaces for the tests of HS3: all kinds of constraints, several measurements."""

import copy
from typing import Any

from hypothesis import strategies as st

from tests import workspaces

Document = dict[str, Any]

_KINDS = ["normal", "poisson", "lognormal", "gamma", "none"]


def example() -> Document:
    """All types of modifiers, with settings of all keys and two measurements."""
    document = workspaces.all_kinds()
    mu = {"name": "mu", "inits": [2], "bounds": [[-5, 20.0]], "fixed": False}
    tilt = {"name": "tilt", "auxdata": [0.5], "sigmas": [2.0], "inits": [0.25]}
    fake = {"name": "fake", "factors": [20, 1, 3.0], "auxdata": [16, 1, 4.5]}
    stat = {"name": "stat_SR", "sigmas": [0.1, 0.2, 0.3], "fixed": True}
    other = {"name": "patched", "inits": [1, 2], "bounds": [[0, 1], [0, 3]]}
    first, lumi = document["measurements"][0], copy.deepcopy(workspaces.LUMI)
    first["config"]["parameters"] += [mu, tilt, fake, stat, other]
    second = {"name": "second", "config": {"poi": "k_fake", "parameters": [lumi]}}
    document["measurements"].append(second)
    document["observations"].append({"name": "removed", "data": [3]})
    return document


@st.composite
def kinds(draw: st.DrawFn) -> Document:
    """A workspace with constraints of all kinds, and several measurements."""
    document = copy.deepcopy(draw(workspaces.workspaces()))
    types = {
        m["name"]: m["type"]
        for c in document["channels"]
        for s in c["samples"]
        for m in s["modifiers"]
    }
    first = document["measurements"][0]["config"]["parameters"]
    for name, kind in types.items():
        if kind not in ("normfactor", "shapefactor") and draw(st.booleans()):
            _constrain(draw, first, name, kind)
    document["version"] = "1.0.0+hfjax.1"
    measurement = copy.deepcopy(document["measurements"][0])
    measurement["name"] = "other"
    for each in measurement["config"]["parameters"]:
        if draw(st.booleans()) and "bounds" in each and each["name"] != "lumi":
            each["bounds"] = [[each["bounds"][0][0] - 1, each["bounds"][0][1] + 1]]
        if draw(st.booleans()):
            each["fixed"] = not each.get("fixed", False)
    if draw(st.booleans()):
        document["measurements"].append(measurement)
    return document


def entry(parameters: list[Document], name: str) -> Document:
    """The settings of a parameter, which are made if they are not there."""
    for each in parameters:
        if each["name"] == name:
            return each
    parameters.append({"name": name})
    return parameters[-1]


def _constrain(
    draw: st.DrawFn, parameters: list[Document], name: str, kind: str
) -> None:
    """Give a parameter a kind of constraint, with the keys that it may have."""
    settings = entry(parameters, name)
    chosen = settings["constraint"] = draw(st.sampled_from(_KINDS))
    if kind != "lumi" or chosen == "none":
        for key in ("auxdata", "sigmas", "factors"):
            settings.pop(key, None)
    interpolated = kind in ("normsys", "histosys")
    if interpolated and chosen != "none" and draw(st.booleans()):
        settings["sigmas"] = [draw(st.floats(0.1, 2))]
        if chosen != "normal":
            settings |= {"bounds": [[-0.4, 3.0]], "inits": [0.1]}
    if chosen in ("poisson", "gamma") and (interpolated or kind == "lumi"):
        settings["factors"] = [draw(st.floats(1, 30))]
    if kind == "staterror" and draw(st.booleans()):
        settings["threshold"] = draw(st.sampled_from([0, 0.05, 0.3]))

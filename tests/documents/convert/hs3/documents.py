"""HS3 documents by hand, in the forms that programs have written them."""

import copy
from typing import Any

Document = dict[str, Any]


def modifier(kind: str, name: str, **more: Any) -> Document:
    """A modifier."""
    return {"name": name, "type": kind, **more}


def normsys(name: str = "acc", **more: Any) -> Document:
    """A normsys as ROOT writes it, but for its constraint."""
    data = {"lo": 0.9, "hi": 1.2}
    return modifier("normsys", name, parameter=f"alpha_{name}", data=data, **more)


def histosys(name: str = "tilt", **more: Any) -> Document:
    """A histosys of two bins."""
    data = {"lo": {"contents": [18.0, 33.0]}, "hi": {"contents": [23.0, 27.0]}}
    return modifier("histosys", name, parameter=f"alpha_{name}", data=data, **more)


def sample(name: str, *modifiers: Document, **data: Any) -> Document:
    """A sample of two bins."""
    contents = {"contents": [20.0, 30.0], **data}
    return {"name": name, "data": contents, "modifiers": list(modifiers)}


def channel(name: str, *samples: Document, **more: Any) -> Document:
    """A channel of two bins."""
    axis = {"name": f"obs_x_{name}", "min": 0.0, "max": 2.0, "nbins": 2}
    document = {"name": f"model_{name}", "type": "histfactory_dist", "axes": [axis]}
    return {**document, "samples": list(samples), **more}


def document(
    *channels: Document,
    others: tuple[Document, ...] = (),
    values: dict[str, Any] | None = None,
    bounds: dict[str, Any] | None = None,
    **more: Any,
) -> Document:
    """A document of channels, with one analysis.

    Args:
        channels: they, each with observed data.
        others: further distributions.
        values: of parameters; a pair is a constant.
        bounds: of parameters.
        more: replaces parts of the document.
    """
    names = [each["name"].removeprefix("model_") for each in channels]
    data = [
        {
            "name": f"obsData_{name}",
            "type": "binned",
            "axes": copy.deepcopy(each.get("axes", [])),
            "contents": [21, 28],
        }
        for name, each in zip(names, channels, strict=True)
    ]
    likelihood = {
        "name": "simPdf_obsData",
        "distributions": [each["name"] for each in channels],
        "data": [each["name"] for each in data],
    }
    analysis = {
        "name": "fit",
        "likelihood": "simPdf_obsData",
        "domains": ["default_domain"],
        "parameters_of_interest": ["mu"],
    }
    return {
        "metadata": {"hs3_version": "0.2"},
        "distributions": [*channels, *others],
        "data": data,
        "likelihoods": [likelihood],
        "domains": [domain("default_domain", bounds or {})],
        "parameter_points": [point("default_values", values or {})],
        "analyses": [analysis],
        **more,
    }


def domain(name: str, bounds: dict[str, Any]) -> Document:
    """A product domain."""
    axes = [{"name": k, "min": low, "max": high} for k, (low, high) in bounds.items()]
    return {"name": name, "type": "product_domain", "axes": axes}


def point(name: str, values: dict[str, Any]) -> Document:
    """A parameter point; a value in a list is a constant's."""
    parameters = [
        {"name": key, "value": value[0], "const": True}
        if isinstance(value, list)
        else {"name": key, "value": value}
        for key, value in values.items()
    ]
    return {"name": name, "parameters": parameters}


def gaussian(name: str, x: Any, mean: Any, sigma: Any) -> Document:
    """A Gaussian constraint."""
    kind = "gaussian_dist"
    return {"name": name, "type": kind, "x": x, "mean": mean, "sigma": sigma}

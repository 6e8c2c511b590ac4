"""Workspaces in which normfactors are functions of other parameters."""

from tests.workspaces import (
    MU,
    Document,
    all_kinds,
    extended,
    given,
    modifier,
    normsys,
    sample,
    workspace,
)


def factor(name: str) -> Document:
    """A normfactor."""
    return modifier("normfactor", name)


def interference() -> Document:
    """Signal, interference and a fraction, and every other type of modifier.

    One expression uses another, one a nuisance parameter, and `coupling` is in
    expressions only.
    """
    document = all_kinds()
    channels = document["channels"]
    channels[0]["samples"] += [
        sample("interference", [3.0] * _bins(channels[0]), factor("k"), factor("f")),
        sample(
            "twice",
            [2.0] * _bins(channels[0]),
            factor("k2"),
            MU,
            normsys("i", 0.8, 1.1),
        ),
    ]
    channels[1]["samples"] += [
        sample("rest", [4.0] * _bins(channels[1]), factor("k"), factor("rest")),
        sample(
            "tail", [1.5] * _bins(channels[1]), factor("tail"), normsys("i", 0.9, 1.2)
        ),
    ]
    return extended(
        document,
        {"name": "coupling", "inits": [0.7], "bounds": [[-3, 3]]},
        given("k2", "k * coupling - coupling**2 / 3"),
        given("k", "sqrt(mu + 0.3)"),
        given("rest", "2 - f * (1 + 0.1 * mu)"),
        given("tail", "exp(0.2 * i) * max(0.1, coupling) + log(mu + 2)"),
    )


def _bins(channel: Document) -> int:
    return len(channel["samples"][0]["data"])


def one_bin(
    *settings: Document,
    observed: float,
    square: float = 20.0,
    linear: float = 4.0,
    background: float = 50.0,
) -> Document:
    """``square k + linear mu + background`` in one bin."""
    samples = [
        sample("square", [square], factor("k")),
        sample("linear", [linear], MU),
        sample("background", [background]),
    ]
    return extended(workspace({"SR": samples}, {"SR": [observed]}), *settings)

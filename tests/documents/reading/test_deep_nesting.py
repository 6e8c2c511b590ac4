"""Values nested more deeply than Python's stack allows are errors, not crashes."""

import pytest

from hfjax import (
    HfjaxError,
    PatchSet,
    Signal,
    Workspace,
    apply_patch,
    make_patchset,
    read_hs3,
    sample,
)
from hfjax.documents.reading.schema import WORKSPACE, validate
from tests import workspaces


def deep(opening, levels):
    value = []
    for _ in range(levels):
        value = opening(value)
    return value


DOCUMENT = workspaces.two_bins()


def replaced(value):
    return apply_patch(
        Workspace.parse(DOCUMENT),
        [{"op": "add", "path": "/channels/0/samples/-", "value": value}],
    )


PARSERS = {
    "workspace": Workspace.parse,
    "composed workspace": lambda value: Workspace.parse(value, compose=True),
    "composed patchset": lambda value: PatchSet.parse(value, compose=True),
    "patchset": PatchSet.parse,
    "patch": lambda value: apply_patch(Workspace.parse(DOCUMENT), value),
    "patched": replaced,
    "signal": Signal.parse,
    "channels of a signal": lambda value: Signal.parse({"channels": value}),
    "signals": lambda value: make_patchset(
        Workspace.parse(DOCUMENT), [{"channels": value}]
    ),
    "sample": lambda value: sample("top", value),
    "hs3": read_hs3,
    "schema": lambda value: validate(value, WORKSPACE),
}


@pytest.mark.parametrize("levels", [900, 20_000])
@pytest.mark.parametrize(
    "opening", [lambda value: [value], lambda value: {"a": value}], ids=["[]", "{}"]
)
@pytest.mark.parametrize("parser", PARSERS)
def test_deep_values_are_refused(parser, opening, levels):
    with pytest.raises(HfjaxError):
        PARSERS[parser](deep(opening, levels))


def test_the_error_says_so():
    with pytest.raises(HfjaxError, match="nested too deeply"):
        Signal.parse({"channels": {"SR": deep(lambda value: [value], 5000)}})

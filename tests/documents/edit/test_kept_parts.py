"""The core of all edits that remove something."""

import dataclasses

import pytest

from hfjax.documents.edit.kept_parts import Rules, keep_parts
from hfjax.documents.workspace.workspace import (
    EXTENDED_VERSION,
    VERSION,
    ParameterConfig,
    Workspace,
)
from hfjax.errors import EditError
from tests import workspaces


@pytest.fixture
def ws():
    return Workspace.parse(workspaces.all_modifiers())


def test_without_rules_all_stays(ws):
    assert keep_parts(ws, Rules()) == ws


def test_what_no_longer_uses_the_extended_format_is_plain(ws):
    (measurement,) = ws.measurements
    top = ParameterConfig("h", sigmas=(0.1,), constraint="lognormal")
    parameters = (*(p for p in measurement.parameters if p.name != "h"), top)
    measurement = dataclasses.replace(measurement, parameters=parameters)
    ws = dataclasses.replace(ws, measurements=(measurement,), version=EXTENDED_VERSION)
    assert keep_parts(ws, Rules()) == ws
    assert keep_parts(ws, Rules(parameter=lambda name: name != "h")).version == VERSION


def test_each_rule_is_asked_about_its_own(ws):
    asked = []

    def ask(*names):
        asked.append(names)
        return True

    keep_parts(ws, Rules(ask, ask, ask, ask, ask))
    modifiers = [("SR", "top", m) for m in ws.channels[0].samples[0].modifiers]
    assert asked == [
        *[("SR",), ("SR", "top"), *modifiers],
        *[("search",), ("lumi",), ("h",)],
        *[("SR",), ("CR",)],
    ]


def test_observations_without_a_channel_follow_the_rule(ws):
    kept = keep_parts(ws, Rules(channel=lambda name: name == "SR"))
    assert [found.name for found in kept.observations] == ["SR"]
    assert len(keep_parts(ws, Rules()).observations) == 2


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (Rules(channel=lambda _: False), "no channel would be left"),
        (Rules(measurement=lambda _: False), "no measurement would be left"),
        (Rules(sample=lambda *_: False), "no sample would be left in channel 'SR'"),
    ],
)
def test_what_is_no_workspace_any_more_is_refused(ws, rules, words):
    with pytest.raises(EditError, match=words):
        keep_parts(ws, rules)

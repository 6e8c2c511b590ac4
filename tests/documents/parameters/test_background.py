"""Parameters of patched workspaces are those that are found without the background."""

import pytest

from hfjax.documents.parameters.background import background_of, patched_groups
from hfjax.documents.parameters.default_groups import default_groups
from hfjax.documents.patchset.patchset import apply_patch
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError
from tests import workspaces
from tests.workspaces import modifier

JES = workspaces.normsys("jes", 0.9, 1.1)
STAT = modifier("staterror", "stat_SR", [1.0, 2.0])
SHAPE = modifier("shapesys", "shape", [1.0, 3.0])
FREE = modifier("shapefactor", "free")
MU = modifier("normfactor", "mu")
TOP = workspaces.sample("top", [10.0, 20.0], JES, STAT, MU, FREE)
FAKES = workspaces.sample("fakes", [4.0, 5.0], SHAPE, STAT)
ALONE = workspaces.sample("top", [3.0], JES)
SIGNAL = workspaces.sample("a", [1.0, 1.0], JES, STAT, modifier("normfactor", "xi"))
AT = "/channels/0/samples/"


@pytest.fixture(scope="module")
def background():
    channels = {"SR": [TOP, FAKES], "CR": [ALONE]}
    observed = {"SR": [5, 6], "CR": [7]}
    return Workspace.parse(workspaces.workspace(channels, observed))


PATCHES = {
    "none": [],
    "one more sample": [{"op": "add", "path": f"{AT}0", "value": SIGNAL}],
    "a sample gone": [{"op": "remove", "path": f"{AT}1"}],
    "a modifier gone": [{"op": "remove", "path": f"{AT}0/modifiers/1"}],
    "the first use gone": [{"op": "remove", "path": "/channels/1"}],
    "other events": [{"op": "replace", "path": f"{AT}1/data", "value": [8.0, 0.0]}],
    "more bins": [
        {
            "op": "replace",
            "path": "/channels/1/samples",
            "value": [SIGNAL | {"name": "b"}],
        },
        {"op": "replace", "path": "/observations/1/data", "value": [1, 2]},
        {"op": "remove", "path": "/channels/1/samples/0/modifiers/1"},
    ],
    "a systematic of both types": [
        {
            "op": "add",
            "path": f"{AT}0/modifiers/-",
            "value": workspaces.histosys("jes", [9.0, 19.0], [11.0, 21.0]),
        }
    ],
}


@pytest.mark.parametrize("operations", PATCHES.values(), ids=PATCHES)
def test_parameters_of_patched_workspaces_are_those_of_the_whole(
    background, operations
):
    patched = apply_patch(background, operations)
    found = patched_groups(background_of(background), patched)
    wanted = default_groups(patched)
    assert list(found) == list(wanted)
    assert found == wanted
    offsets = [dict(group.offsets) for group in found.values()]
    assert offsets == [dict(group.offsets) for group in wanted.values()]


WRONG = {
    "a shapesys that is shared": (
        SIGNAL | {"modifiers": [SHAPE]},
        "shapesys 'shape' is used by sample 'a' in channel 'SR' and sample 'fakes'",
    ),
    "a name of another type": (
        SIGNAL | {"modifiers": [modifier("normfactor", "jes")]},
        "which need different parameters",
    ),
    "a negative factor": (
        SIGNAL | {"modifiers": [workspaces.normsys("jes", -0.1, 1.1)]},
        "negative factor",
    ),
}


@pytest.mark.parametrize(("sample", "what"), WRONG.values(), ids=WRONG)
def test_contradictions_are_refused_with_the_same_words(background, sample, what):
    added = [{"op": "add", "path": f"{AT}0", "value": sample}]
    patched = apply_patch(background, added)
    with pytest.raises(ModelError, match=what) as quick:
        patched_groups(background_of(background), patched)
    with pytest.raises(ModelError) as slow:
        default_groups(patched)
    assert str(quick.value) == str(slow.value)


def test_backgrounds_that_contradict_themselves_may_be_mended():
    shared = [workspaces.sample(name, [4.0, 5.0], SHAPE) for name in ("a", "b")]
    document = workspaces.workspace({"SR": shared}, {"SR": [5, 6]})
    assert background_of(Workspace.parse(document)) is None

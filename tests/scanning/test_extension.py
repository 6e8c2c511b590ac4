"""Scans of extended workspaces: constraints of all kinds, aligned and masked."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.inference.hypotest import hypotest
from hfjax.scanning.run import scan
from tests.building.patchsets import VARIED, add, background, patchset
from tests.building.test_batch import assert_same_meaning, only_group
from tests.model.extended import setting
from tests.scanning.test_run import assert_same
from tests.workspaces import MU, extended, normsys, sample

SETTINGS = (
    setting("xs", "lognormal", sigmas=[0.3]),
    setting("jes", "gamma", sigmas=[0.25]),
    setting("mc", "poisson", threshold=0.059),
    setting("fakes", "normal"),
    setting("mc_C", "lognormal"),
    # what only patches bring
    setting("isr", "gamma", sigmas=[0.2]),
    setting("fsr", "lognormal", sigmas=[0.3]),
    setting("own", "none"),
    setting("sig", "lognormal"),
)
WIDER = {
    "op": "replace",
    "path": "/measurements/0/config/parameters/0/sigmas",
    "value": [0.2],
}
OTHER_KIND = {
    "op": "replace",
    "path": "/measurements/0/config/parameters/0/constraint",
    "value": "gamma",
}
SIGNAL = add(1, sample("s", [8.0], MU, normsys("fsr", 0.8, 1.2)))


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace.parse(extended(background().dump(), *SETTINGS))


@pytest.fixture(scope="module")
def varied():
    return patchset(VARIED | {"wider": [WIDER, SIGNAL]})


def test_points_mean_what_they_mean_alone(workspace, varied):
    batch = build_scan(workspace, varied)
    assert batch.failures == {}
    assert_same_meaning(workspace, varied, only_group(batch))


@pytest.mark.parametrize("kind", ["none", "lognormal"])
def test_gammas_of_several_channels_mean_what_they_mean_alone(workspace, varied, kind):
    """A point without the first channel has the gammas of the second only."""
    document = extended(workspace.dump(), setting("mc", kind), setting("fakes", kind))
    other = Workspace.parse(document)
    names = ("last", "without_A", "without_C")
    group = only_group(build_scan(other, varied, names=names))
    assert_same_meaning(other, varied, group, draws=1)


def test_kinds_are_those_of_each_point_alone(workspace, varied):
    """Or the test of meaning would not test them: a gamma is below the threshold."""
    fixed = {}
    for patch in varied:
        model, _ = build(workspace, patch=patch)
        assert model.poisson.index.size > 0
        assert model.lognormal.index.size > 0
        names = np.array(model.parameters.names)
        fixed[patch.name] = set(names[np.asarray(model.parameters.fixed)])
    assert fixed["last"] == {"mc[0]"}
    assert fixed["first"] == set()


@jax.jit
def density(model, params, data):
    return jax.value_and_grad(lambda x: model.logpdf(x, data))(params)


def test_padded_parameters_contribute_nothing(workspace, varied):
    """Wherever they are, even where their term has no density: they are masked."""
    group = only_group(build_scan(workspace, varied))
    names = group.template.parameters.names
    any_lacks = False
    for i, member in enumerate(group.members):
        alone, _ = build(workspace, patch=varied[member.name])
        own = {each.name for each in alone.parameters.sets}
        lacking = [n for n in ("isr", "fsr", "sig[0]") if n.split("[")[0] not in own]
        model, data = group.point(i)
        centre = model.parameters.init
        value, slopes = density(model, centre, data)
        for name in lacking:
            any_lacks |= name == "isr"
            place = names.index(name)
            assert slopes[place] == 0.0
            for moved in (0.3, -9.0):
                away = jnp.asarray(centre).at[place].set(moved)
                assert density(model, away, data)[0] == value
    assert any_lacks


def test_patches_that_change_a_kind_are_another_group(workspace):
    patches = patchset({"same": [SIGNAL], "other": [OTHER_KIND, SIGNAL]})
    batch = build_scan(workspace, patches)
    assert [len(group.members) for group in batch.groups] == [1, 1]
    for group in batch.groups:
        assert_same_meaning(workspace, patches, group, draws=1)


def assert_tests_are_those_of_patches(workspace, patches, names, compared):
    """Points of a scan of some patches are the tests of some of them alone."""
    found = scan(build_scan(workspace, patches, names=names))
    assert all(point.converged for point in found)
    for name in compared:
        assert_same(found[name], hypotest(*build(workspace, patch=patches[name])))


@pytest.mark.slow
def test_a_point_is_the_test_of_its_patch(workspace, varied):
    names = ("last", "without_A")
    assert_tests_are_those_of_patches(workspace, varied, names, ["without_A"])


@pytest.mark.long
def test_all_points_are_the_tests_of_their_patches(workspace, varied):
    names = [patch.name for patch in varied]
    assert_tests_are_those_of_patches(workspace, varied, names, names)

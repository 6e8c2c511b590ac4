"""Scans of models with expressions, and of other parameters of interest."""

import pytest

from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError, ParameterError, UnknownNameError
from hfjax.inference.hypotest import hypotest
from hfjax.scanning.run import scan
from tests.assertions import assert_close
from tests.building.patchsets import VARIED, add, background, patchset
from tests.building.test_batch import assert_same_meaning, only_group
from tests.workspaces import MU, extended, given, modifier, normsys, sample

K = modifier("normfactor", "ki")
COUPLING = {"name": "c", "inits": [0.8], "bounds": [[0, 3]]}
SETTINGS = given("ki", "c * sqrt(mu)"), given("later", "mu**2"), COUPLING


def interfering(scale):
    """A signal, and its interference with the background."""
    return [
        add(
            0,
            sample("signal", [6.0 * scale, 4.0 * scale], MU, normsys("isr", 0.9, 1.2)),
        ),
        add(0, sample("interference", [2.0 * scale, -1.0 * scale], K)),
    ]


OTHER = {
    "op": "replace",
    "path": "/measurements/0/config/parameters/0/expression",
    "value": "c * mu",
}
PATCHES = {
    "small": interfering(0.5),
    "large": interfering(2.0),
    "signal_only": interfering(1.0)[:1],
    "squares": [
        *interfering(1.0),
        add(1, sample("sq", [3.0], modifier("normfactor", "later"))),
    ],
}


@pytest.fixture(scope="module")
def workspace():
    plain = background().dump()
    config = plain["measurements"][0]["config"]
    config["parameters"], kept = [], config["parameters"]
    found = extended(plain, *SETTINGS, *kept)
    return Workspace.parse(found)


def alone(workspace, patches, name):
    return build(workspace, patch=patches[name])


def test_points_mean_what_they_mean_alone(workspace):
    patches = patchset(PATCHES)
    batch = build_scan(workspace, patches)
    assert batch.failures == {}
    assert_same_meaning(workspace, patches, only_group(batch))


@pytest.mark.slow
def test_points_without_expressions_are_in_the_same_group(workspace):
    patches = patchset(PATCHES | VARIED)
    batch = build_scan(workspace, patches)
    assert batch.failures == {}
    assert_same_meaning(workspace, patches, only_group(batch))


@pytest.mark.slow
def test_tests_are_those_of_the_points_alone(workspace):
    patches = patchset(PATCHES)
    result = scan(build_scan(workspace, patches), 0.7)
    assert not result.failed
    for point in result.points[2:]:
        model, data = alone(workspace, patches, point.name)
        known = hypotest(model, data, 0.7)
        assert_close(point.CLs_obs, known.CLs_obs, 1e-6)
        assert_close(point.mu_hat, known.mu_hat, 1e-4, 1e-6)


def test_a_patch_that_changes_an_expression_is_a_group_of_its_own(workspace):
    patches = patchset({**PATCHES, "linear": [OTHER, *interfering(1.0)]})
    batch = build_scan(workspace, patches)
    assert [len(group.members) for group in batch.groups] == [4, 1]


def test_a_patch_that_leaves_an_expression_in_the_air_fails_alone(workspace):
    patches = patchset(
        {**PATCHES, "bad": [dict(OTHER, value="cc * mu"), *interfering(1)]}
    )
    batch = build_scan(workspace, patches)
    assert "no parameter named 'cc': did you mean 'c'" in batch.failures["bad"]
    assert len(batch.groups) == 1


# -- other parameters of interest --------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("poi", ["c", "xs"])
def test_another_parameter_is_tested(workspace, poi):
    patches = patchset(PATCHES)
    batch = build_scan(workspace, patches, poi=poi)
    result = scan(batch, 0.5)
    points = {point.name: point for point in result.points}
    model, data = alone(workspace, patches, "squares")
    known = hypotest(model.with_poi(poi), data, 0.5)
    assert_close(points["squares"].CLs_obs, known.CLs_obs, 1e-6)
    if poi == "c":
        assert points["signal_only"].status == "no_model"
        assert "no parameter named 'c' in" in points["signal_only"].message


@pytest.mark.slow
def test_the_measurement_need_not_name_any(workspace):
    document = workspace.dump()
    document["measurements"][0]["config"]["poi"] = ""
    nameless = Workspace.parse(document)
    patches = patchset(PATCHES)
    found = scan(build_scan(nameless, patches, poi="mu"), 1.0)
    known = scan(build_scan(workspace, patches), 1.0)
    for one, other in zip(found.points, known.points, strict=True):
        assert_close(one.CLs_obs, other.CLs_obs, 1e-9)


def test_names_that_no_point_has_are_refused(workspace):
    with pytest.raises(UnknownNameError, match="'muu' in the model: did"):
        build_scan(workspace, patchset(PATCHES), poi="muu")


def test_derived_parameters_are_refused(workspace):
    with pytest.raises(ParameterError, match="'ki' is given by an expression"):
        build_scan(workspace, patchset(PATCHES), poi="ki")


def test_a_parameter_may_be_free_in_some_points_and_given_in_others(workspace):
    without = {
        "op": "remove",
        "path": "/measurements/0/config/parameters/0",
    }
    patches = patchset({**PATCHES, "free": [without, *interfering(1.0)]})
    batch = build_scan(workspace, patches, poi="ki")
    (group,) = batch.groups
    assert [member.name for member in group.members] == ["free"]
    assert "'ki' is given by an expression" in batch.failures["small"]


def test_several_components_are_refused(workspace):
    with pytest.raises(ModelError, match="'mc' has 3 components"):
        build_scan(workspace, patchset(PATCHES), poi="mc")
    words = r"no single component such as 'mc\[0\]': test the points one by one"
    with pytest.raises(ModelError, match=words):
        build_scan(workspace, patchset(PATCHES), poi="mc[0]")

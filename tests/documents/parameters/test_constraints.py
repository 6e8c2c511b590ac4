"""Kinds of constraint terms that measurements ask for, and what is refused."""

import math

import pytest

from hfjax.documents.parameters.overrides import configured
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.documents.workspace.measurement import CONSTRAINTS, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError
from tests.documents.parameters.test_parameter_sets import histosys, normsys, sample
from tests.workspaces import LUMI, extended, modifier, workspace

STAT = modifier("staterror", "x", [2.0, 3.0, 0.0])
SHAPE = modifier("shapesys", "x", [2.0, 5.0, 0.0])
THREE = (10.0, 10.0, 10.0)


def one_group(*modifiers, data=(10.0,), **settings):
    """The only group of a sample in an extended workspace, with settings of x."""
    entry = {"name": "x", **settings} if "name" not in settings else settings
    samples = {"SR": [sample("s", *modifiers, data=data)]}
    document = extended(workspace(samples, {"SR": [5] * len(data)}, entry, poi=""))
    parsed = Workspace.parse(document)
    (group,) = parameter_groups(parsed, parsed.measurement())
    return group


def terms(group):
    return group.constraint, group.auxdata, group.widths


DEFAULTS = {
    "normsys": (normsys("x"), (10.0,), "normal"),
    "histosys": (histosys("x"), (10.0,), "normal"),
    "staterror": (STAT, THREE, "normal"),
    "shapesys": (SHAPE, THREE, "poisson"),
}


@pytest.mark.parametrize(("uses", "data", "kind"), DEFAULTS.values(), ids=DEFAULTS)
def test_naming_the_kind_of_the_type_changes_nothing(uses, data, kind):
    named = one_group(uses, data=data, constraint=kind)
    assert named == one_group(uses, data=data)
    assert (named.scale, named.shift) == (1.0, 0.0)


@pytest.mark.parametrize(("uses", "data", "kind"), DEFAULTS.values(), ids=DEFAULTS)
def test_gamma_is_the_likelihood_of_poisson(uses, data, kind):
    del kind
    counting = one_group(uses, data=data, constraint="poisson")
    assert one_group(uses, data=data, constraint="gamma") == counting


@pytest.mark.parametrize("uses", [STAT, SHAPE, normsys("x"), modifier("lumi", "lumi")])
def test_none_leaves_no_term_and_keeps_bounds_and_fixed_bins(uses):
    entry = {"constraint": "none", "bounds": [[0.5, 2]], "inits": [1]}
    entry["name"] = uses["name"]
    if uses["name"] == "x":
        entry = {"constraint": "none"}
    data = THREE if uses in (STAT, SHAPE) else (10.0,)
    group = one_group(uses, data=data, **entry)
    assert terms(group) == ("", (), ())
    if uses in (STAT, SHAPE):
        assert group.fixed == (False, False, True)
    else:
        assert group.bounds == (((0.5, 2.0),) if "name" in entry else ((-5, 5),))


@pytest.mark.parametrize("kind", ["normfactor", "shapefactor"])
def test_free_factors_are_free_and_nothing_else(kind):
    assert one_group(modifier(kind, "x"), constraint="none").constraint == ""
    message = f"constraint of parameter 'x' to 'gamma', but a {kind} has no uncertainty"
    with pytest.raises(ModelError, match=message):
        one_group(modifier(kind, "x"), constraint="gamma")


# -- centres and widths ------------------------------------------------------------


def test_relative_uncertainties_of_bins():
    """Of staterror and shapesys alike; a fixed bin has 1."""
    logs = (math.log(1.2), math.log(1.3), math.log(2))
    taus = pytest.approx((25.0, 100 / 9, 1.0))
    ones = (1.0, 1.0, 1.0)
    group = one_group(STAT, data=THREE, constraint="lognormal")
    assert terms(group) == ("lognormal", ones, pytest.approx(logs))
    group = one_group(STAT, data=THREE, constraint="poisson")
    assert terms(group) == ("poisson", taus, taus)
    group = one_group(SHAPE, data=THREE, constraint="normal")
    assert terms(group) == ("normal", ones, pytest.approx((0.2, 0.5, 1.0)))
    group = one_group(SHAPE, data=THREE, constraint="lognormal")
    logs = (math.log(1.2), math.log(1.5), math.log(2))
    assert terms(group) == ("lognormal", ones, pytest.approx(logs))
    assert group.fixed == (False, False, True)


def test_values_of_the_measurement_replace_those_of_bins():
    given = {"sigmas": [0.1, 0.2, 0.3], "auxdata": [1.0, 1.1, 0.9]}
    logs = pytest.approx((math.log(1.1), math.log(1.2), math.log(1.3)))
    for uses in (STAT, SHAPE):
        group = one_group(uses, data=THREE, constraint="lognormal", **given)
        assert terms(group) == ("lognormal", (1.0, 1.1, 0.9), logs)
        group = one_group(uses, data=THREE, constraint="normal", **given)
        assert terms(group) == ("normal", (1.0, 1.1, 0.9), (0.1, 0.2, 0.3))
        counts = {"factors": [4, 5, 6], "auxdata": [1, 2, 0]}
        group = one_group(uses, data=THREE, constraint="gamma", **counts)
        assert terms(group) == ("poisson", (1, 2, 0), (4, 5, 6))


def test_interpolation_parameters_have_sigmas_as_relative_uncertainty():
    group = one_group(normsys("x"), constraint="poisson", sigmas=[0.25])
    assert terms(group) == ("poisson", (16.0,), (16.0,))
    assert (group.scale, group.shift) == (0.25, 4.0)
    group = one_group(normsys("x"), constraint="gamma", sigmas=[0.25], factors=[9])
    assert terms(group) == ("poisson", (16.0,), (9.0,))
    group = one_group(histosys("x"), constraint="lognormal", auxdata=[1.2])
    assert terms(group) == ("lognormal", (1.2,), (math.log(2),))
    assert (group.scale, group.shift) == (1.0, 1.0)


def test_lumi_is_relative_to_its_auxdata():
    entry = {**LUMI, "auxdata": [2.0], "sigmas": [0.5]}
    group = one_group(modifier("lumi", "lumi"), **entry, constraint="gamma")
    assert terms(group) == ("poisson", (16.0,), (16.0,))
    assert (group.scale, group.shift) == (0.5, 0.0)
    group = one_group(modifier("lumi", "lumi"), **entry, constraint="lognormal")
    assert terms(group) == ("lognormal", (1.0,), (math.log(1.25),))
    partly = {key: LUMI[key] for key in ("name", "inits", "bounds")}
    with pytest.raises(ModelError, match="no auxdata, sigmas in the measure"):
        one_group(modifier("lumi", "lumi"), **partly, constraint="lognormal")


# -- bounds ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["poisson", "lognormal", "gamma"])
def test_lower_bounds_are_raised_to_where_beta_is_positive(kind):
    group = one_group(normsys("x"), constraint=kind)
    assert group.bounds == ((pytest.approx(1e-10 - 1), 5.0),)
    assert group.scale * (group.bounds[0][0] + group.shift) > 0
    group = one_group(normsys("x"), constraint=kind, sigmas=[0.1])
    assert group.bounds == ((-5.0, 5.0),)
    given = {"bounds": [[-30, 30]], "sigmas": [0.1]}
    group = one_group(normsys("x"), constraint=kind, **given)
    assert group.bounds == ((pytest.approx(-10), 30.0),)
    zero = {"bounds": [[0, 9]] * 3}
    group = one_group(STAT, data=THREE, constraint=kind, **zero)
    assert group.bounds == ((1e-10, 9.0),) * 3


def test_lower_bounds_of_plain_kinds_stay():
    zero = {"bounds": [[0, 9]] * 3}
    for kind in ("poisson", "gamma", "normal", "none"):
        group = one_group(SHAPE, data=THREE, constraint=kind, **zero)
        assert group.bounds == ((0.0, 9.0),) * 3
    group = one_group(normsys("x"), constraint="none")
    assert group.bounds == ((-5.0, 5.0),)


def test_bounds_without_a_positive_beta_are_refused():
    message = r"bounds \[-9.0, -6.0\] of parameter 'x' leave no room .* above -5"
    settings = {"bounds": [[-9, -6]], "sigmas": [0.2]}
    with pytest.raises(ModelError, match=message):
        one_group(normsys("x"), constraint="gamma", **settings)


# -- thresholds --------------------------------------------------------------------


def test_t12_threshold_fixes_bins_with_little_uncertainty():
    group = one_group(STAT, data=THREE, threshold=0.25)
    assert group.fixed == (True, False, True)
    assert group.widths == (1.0, 0.3, 1.0)
    assert one_group(STAT, data=THREE, threshold=0.2).fixed == (False, False, True)
    fixed = one_group(STAT, data=THREE, threshold=0.25, fixed=True)
    assert fixed.fixed == (True, True, True)
    assert fixed.widths == (1.0, 0.3, 1.0)


@pytest.mark.parametrize("uses", [SHAPE, normsys("x"), modifier("normfactor", "x")])
def test_threshold_of_anything_but_a_staterror_is_refused(uses):
    data = THREE if uses is SHAPE else (10.0,)
    message = f"sets 'threshold' of parameter 'x', which a {uses['type']} does not have"
    with pytest.raises(ModelError, match=message):
        one_group(uses, data=data, threshold=0.1)


# -- refusals ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uses", "kind", "key"),
    [
        *[(normsys("x"), "none", key) for key in ("sigmas", "auxdata", "factors")],
        *[(normsys("x"), kind, "factors") for kind in ("normal", "lognormal")],
        *[(STAT, kind, "sigmas") for kind in ("poisson", "gamma", "none")],
        *[(SHAPE, kind, "factors") for kind in ("normal", "lognormal", "none")],
    ],
)
def test_keys_of_another_kind_are_refused_by_name(uses, kind, key):
    data = THREE if uses in (STAT, SHAPE) else (10.0,)
    message = (
        f"sets '{key}' of parameter 'x', which a {uses['type']} with a '{kind}' "
        "constraint does not have: remove it"
    )
    with pytest.raises(ModelError, match=message):
        one_group(uses, data=data, constraint=kind, **{key: [1.0] * len(data)})


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        *[(kind, "sigmas", 0) for kind in ("poisson", "gamma", "lognormal")],
        *[("gamma", "factors", -1), ("gamma", "auxdata", -1)],
        *[("lognormal", "auxdata", 0), ("lognormal", "sigmas", float("nan"))],
    ],
)
def test_impossible_values_are_refused(kind, key, value):
    message = rf"{key} \[{float(value)}\] of parameter 'x' must"
    with pytest.raises(ModelError, match=message):
        one_group(normsys("x"), constraint=kind, **{key: [value]})


@pytest.mark.parametrize("key", ["sigmas", "auxdata"])
def test_lumi_without_a_positive_nominal_value_or_width_is_refused(key):
    lumi = {**LUMI, key: [0.0], "constraint": "lognormal"}
    with pytest.raises(ModelError, match=rf"{key} \[0.0\] of parameter 'lumi' must"):
        one_group(modifier("lumi", "lumi"), **lumi)


@pytest.mark.parametrize("kind", CONSTRAINTS)
def test_settings_of_the_wrong_length_are_refused(kind):
    key = "factors" if kind in ("poisson", "gamma") else "sigmas"
    config = ParameterConfig("x", constraint=kind, **{key: (1.0, 1.0)})
    group = one_group(STAT, data=THREE)
    words = "does not have" if kind == "none" else f"gives 2 {key} .* which has 3"
    with pytest.raises(ModelError, match=words):
        configured(group, config)


@pytest.mark.parametrize("kind", ["gamma", "lognormal"])
def test_a_width_whose_inverse_no_float_can_hold(kind):
    with pytest.raises(ModelError, match="of parameter 'x' is too small for its"):
        one_group(normsys("x"), constraint=kind, sigmas=[5e-324])


def test_a_staterror_whose_number_of_events_no_float_can_hold():
    stat = modifier("staterror", "x", [1e-160])
    with pytest.raises(ModelError, match="of parameter 'x' is too small"):
        one_group(stat, constraint="gamma")


def test_a_width_whose_square_has_no_inverse():
    with pytest.raises(ModelError, match="1e-200 of parameter 'x' is too small"):
        one_group(normsys("x"), constraint="gamma", sigmas=[1e-200])


def test_lumi_whose_inverse_no_float_can_hold():
    entry = {"name": "lumi", "inits": [1], "bounds": [[0, 2]], "sigmas": [0.1]}
    entry |= {"constraint": "gamma", "auxdata": [5e-324]}
    with pytest.raises(ModelError, match="of parameter 'lumi' is too small"):
        one_group(modifier("lumi", "lumi"), **entry)

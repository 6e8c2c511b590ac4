"""Which parameters a workspace brings: order, defaults, sharing, settings, refusals."""

import math

import pytest

from hfjax.documents.parameters.parameter_sets import (
    parameter_groups,
    parameter_of_interest,
)
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError
from tests import workspaces
from tests.workspaces import LUMI, modifier


def normsys(name, lo=0.9, hi=1.1):
    return workspaces.normsys(name, lo, hi)


def histosys(name, bins=1):
    return workspaces.histosys(name, [9.0] * bins, [12.0] * bins)


def sample(name, *modifiers, data=(10.0,)):
    return workspaces.sample(name, data, *modifiers)


def groups_of(channels, *settings, poi="", whole=False):
    """The groups of samples by channel; with the workspace if it is asked for."""
    observed = {name: [5] * len(found[0]["data"]) for name, found in channels.items()}
    document = workspaces.workspace(channels, observed, *settings, poi=poi)
    workspace = Workspace.parse(document)
    groups = parameter_groups(workspace, workspace.measurement(None))
    return (groups, workspace) if whole else groups


def one_group(*modifiers, data=(10.0,), settings=()):
    """The only group of a sample."""
    found = groups_of({"SR": [sample("top", *modifiers, data=data)]}, *settings)
    (group,) = found
    return group


def names(groups):
    return [group.name for group in groups]


# -- order ------------------------------------------------------------------------


def test_types_come_in_alphabetical_order():
    modifiers = [
        *(modifier("staterror", "a", [1.0]), modifier("shapesys", "b", [1.0])),
        *(modifier("shapefactor", "c"), normsys("d"), modifier("normfactor", "e")),
        *(modifier("lumi", "lumi"), histosys("g")),
    ]
    found = groups_of({"SR": [sample("top", *modifiers)]}, LUMI)
    assert names(found) == ["g", "lumi", "e", "d", "c", "b", "a"]
    assert [group.kind for group in found] == sorted(group.kind for group in found)


def test_t22_within_a_type_the_first_appearance_counts():
    """Walking channels, samples and modifiers in alphabetical order."""
    found = groups_of(
        {
            "b": [sample("A", normsys("n0"))],
            "a": [
                sample("z", normsys("n5"), normsys("n4")),
                sample("B", normsys("n9"), normsys("n7")),
            ],
        }
    )
    assert names(found) == ["n7", "n9", "n4", "n5", "n0"]


def test_staterrors_come_in_alphabetical_order():
    found = groups_of(
        {
            "a": [sample("top", modifier("staterror", "z", [1.0]))],
            "b": [sample("top", modifier("staterror", "y", [1.0]))],
        }
    )
    assert names(found) == ["y", "z"]


def test_a_name_stands_where_its_first_type_stands():
    found = groups_of(
        {"SR": [sample("top", normsys("both"), normsys("a"), histosys("both"))]}
    )
    assert names(found) == ["both", "a"]
    assert found[0].kind == "histosys"


# -- defaults ---------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [histosys("x"), normsys("x")])
def test_defaults_of_interpolated_modifiers(alpha):
    group = one_group(alpha)
    assert group.scalar
    assert (group.inits, group.bounds, group.fixed) == ((0,), ((-5, 5),), (False,))
    assert (group.constraint, group.auxdata, group.widths) == ("normal", (0,), (1,))


def test_defaults_of_free_factors():
    for group in (
        one_group(modifier("normfactor", "x")),
        one_group(modifier("shapefactor", "x")),
    ):
        assert group.scalar == (group.kind == "normfactor")
        assert (group.inits, group.bounds, group.fixed) == ((1,), ((0, 10),), (False,))
        assert (group.constraint, group.auxdata, group.widths) == ("", (), ())


def test_shapefactor_has_one_parameter_a_bin():
    assert one_group(modifier("shapefactor", "x"), data=(1, 2, 3)).size == 3


def test_t14_bins_of_a_shapesys_without_constraint_are_fixed_and_stay():
    group = one_group(
        modifier("shapesys", "x", [5.0, 0.0, 2.0, 4]), data=(50.0, 3.0, 0, 4)
    )
    assert group.auxdata == group.widths == (100.0, 1.0, 1.0, 1.0)
    assert group.fixed == (False, True, True, False)
    assert group.bounds == ((1e-10, 10),) * 4
    assert (group.constraint, group.scalar) == ("poisson", False)


def test_t11_bins_of_a_staterror_without_uncertainty_are_fixed_and_stay():
    """Nothing expected, something negative, no uncertainty: width 1."""
    group = one_group(
        modifier("staterror", "x", [3.0, 1.0, 1.0, 0.0]), data=(10.0, 0.0, -2.0, 5.0)
    )
    assert group.widths == (0.3, 1.0, 1.0, 1.0)
    assert group.fixed == (False, True, True, True)
    assert group.auxdata == group.inits == (1.0,) * 4
    assert group.bounds == ((1e-10, 10),) * 4
    assert (group.constraint, group.scalar) == ("normal", False)


def test_t9_staterror_is_relative_to_the_samples_that_carry_it():
    carries = [modifier("staterror", "x", [e]) for e in (3.0, 4.0)]
    (group,) = groups_of(
        {
            "SR": [
                sample("a", carries[0], data=(15.0,)),
                sample("b", carries[1], data=(5.0,)),
                sample("c", data=(1000.0,)),
            ]
        }
    )
    assert group.widths == (0.25,)


# -- sharing ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "shared",
    [
        *(normsys("x"), histosys("x"), modifier("normfactor", "x")),
        *(modifier("shapefactor", "x"), modifier("staterror", "x", [1.0])),
    ],
)
def test_one_name_is_one_parameter(shared):
    (group,) = groups_of({"SR": [sample("a", shared), sample("b", shared)]})
    assert group.size == 1


def test_t17_histosys_and_normsys_of_one_name_share_it():
    (group,) = groups_of({"SR": [sample("a", normsys("x"), histosys("x"))]})
    assert (group.kind, group.size) == ("histosys", 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (modifier("normfactor", "x"), normsys("x")),
        (modifier("shapefactor", "x"), modifier("normfactor", "x")),
        (modifier("shapesys", "x", [1.0]), modifier("staterror", "x", [1.0])),
        (modifier("shapefactor", "x"), modifier("staterror", "x", [1.0])),
        (histosys("lumi"), modifier("lumi", "lumi")),
    ],
)
def test_two_kinds_of_one_name_are_refused(first, second):
    with pytest.raises(ModelError) as caught:
        groups_of({"SR": [sample("a", first), sample("b", second)]}, LUMI)
    message = str(caught.value)
    kinds = sorted([first["type"], second["type"]])
    assert f"is a {kinds[0]} and also a {kinds[1]}" in message
    assert "in channel 'SR'), which need different parameters: rename" in message


def test_t15_shapesys_shared_between_samples_is_refused():
    shape = modifier("shapesys", "x", [1.0])
    message = (
        "shapesys 'x' is used by sample 'a' in channel 'SR' and sample 'b' in "
        "channel 'SR': .* its own name"
    )
    with pytest.raises(ModelError, match=message):
        groups_of({"SR": [sample("a", shape), sample("b", shape)]})


def test_t15_shapesys_shared_between_channels_is_refused():
    shape = modifier("shapesys", "x", [1.0])
    with pytest.raises(ModelError, match="in channel 'CR' and sample 'a' in channel"):
        groups_of({"SR": [sample("a", shape)], "CR": [sample("a", shape)]})


def test_shapefactor_of_different_widths_is_as_wide_as_the_widest():
    """pyhf 0.7.6 gives bins behind the first channel's width the parameter 0."""
    free = modifier("shapefactor", "x")
    (group,) = groups_of(
        {"a": [sample("s", free)], "b": [sample("s", free, data=(1.0, 2.0))]}
    )
    assert group.size == 2
    assert group.offsets == {"a": 0, "b": 0}


def test_t10_staterror_across_channels_has_a_parameter_for_each_bin_of_each():
    one = modifier("staterror", "x", [1.0])
    two = modifier("staterror", "x", [4.0, 1.0])
    (group,) = groups_of(
        {"b": [sample("s", one)], "a": [sample("s", two, data=(8.0, 4.0))]}
    )
    assert group.widths == (0.5, 0.25, 0.1)
    assert group.offsets == {"a": 0, "b": 2}


def test_t10_staterror_of_samples_in_different_channels_is_refused():
    stat = modifier("staterror", "x", [1.0])
    message = (
        r"staterror 'x' spans channels \['a', 'b'\], but sample 'only' has it only in "
        r"\['b'\] and not in \['a'\]: name the staterror after its channel"
    )
    with pytest.raises(ModelError, match=message):
        groups_of(
            {"a": [sample("s", stat)], "b": [sample("s", stat), sample("only", stat)]}
        )


# -- settings of the measurement --------------------------------------------------


def test_settings_replace_defaults_key_by_key():
    group = one_group(normsys("x"), settings=[{"name": "x", "inits": [0.5]}])
    assert (group.inits, group.bounds, group.auxdata) == ((0.5,), ((-5, 5),), (0,))
    every = {
        "name": "x",
        "inits": [1],
        "bounds": [[-2, 3]],
        "auxdata": [0.25],
        "sigmas": [2],
        "fixed": True,
    }
    group = one_group(normsys("x"), settings=[every])
    assert (group.inits, group.bounds, group.fixed) == ((1,), ((-2, 3),), (True,))
    assert (group.auxdata, group.widths) == ((0.25,), (2,))


def test_t31_initial_values_do_not_move_the_constraint():
    group = one_group(normsys("x"), settings=[{"name": "x", "inits": [0.5]}])
    assert group.auxdata == (0,)


def test_settings_of_bins():
    settings = {"name": "x", "auxdata": [4, 9], "factors": [5, 8], "inits": [1, 2]}
    group = one_group(
        modifier("shapesys", "x", [1.0, 1.0]), data=(2.0, 3.0), settings=[settings]
    )
    assert (group.auxdata, group.widths, group.inits) == ((4, 9), (5, 8), (1, 2))


def test_settings_apply_to_a_shared_name():
    both = [{"name": "x", "sigmas": [0.5]}]
    (group,) = groups_of({"SR": [sample("a", normsys("x"), histosys("x"))]}, *both)
    assert group.widths == (0.5,)


def test_settings_of_unknown_parameters_are_ignored():
    """Published background-only workspaces set what only their patches bring."""
    assert one_group(normsys("x"), settings=[{"name": "mu", "inits": [1, 2]}])


def test_fixed_keeps_initial_values():
    settings = {"name": "x", "fixed": True, "inits": [2.0]}
    group = one_group(modifier("normfactor", "x"), settings=[settings])
    assert (group.fixed, group.inits) == ((True,), (2.0,))


@pytest.mark.parametrize("kind", ["shapesys", "staterror"])
@pytest.mark.parametrize(("fixed", "known"), [(False, [0, 1, 0]), (True, [1, 1, 1])])
def test_bins_without_constraint_stay_fixed(kind, fixed, known):
    """pyhf 0.7.6 lets `fixed: false` free them."""
    group = one_group(
        modifier(kind, "x", [1.0, 1.0, 1.0]),
        data=(5.0, 0.0, 5.0),
        settings=[{"name": "x", "fixed": fixed}],
    )
    assert list(group.fixed) == [bool(flag) for flag in known]


def test_lumi_is_what_the_measurement_says():
    group = one_group(modifier("lumi", "lumi"), settings=[LUMI])
    assert (group.inits, group.bounds, group.fixed) == ((1,), ((0.5, 1.5),), (False,))
    assert (group.constraint, group.auxdata, group.widths) == ("normal", (1,), (0.02,))
    fixed = one_group(modifier("lumi", "lumi"), settings=[{**LUMI, "fixed": True}])
    assert fixed.fixed == (True,)


def test_t25_lumi_without_configuration_is_refused():
    message = "'lumi' .* no inits, bounds, auxdata, sigmas in .* add an entry"
    with pytest.raises(ModelError, match=message):
        one_group(modifier("lumi", "lumi"))
    partly = {key: LUMI[key] for key in ("name", "inits", "bounds")}
    with pytest.raises(ModelError, match="no auxdata, sigmas in"):
        one_group(modifier("lumi", "lumi"), settings=[partly])


@pytest.mark.parametrize("key", ["inits", "auxdata", "factors"])
def test_settings_of_the_wrong_length_are_refused(key):
    shape = modifier("shapesys", "x", [1.0, 1.0])
    message = f"gives 3 {key} for parameter 'x', which has 2: give one for each"
    with pytest.raises(ModelError, match=message):
        one_group(shape, data=(2, 2), settings=[{"name": "x", key: [1, 1, 1]}])


def test_bounds_of_the_wrong_length_are_refused():
    settings = [{"name": "x", "bounds": [[0, 1], [0, 1]]}]
    with pytest.raises(
        ModelError, match="gives 2 bounds for parameter 'x', which has 1"
    ):
        one_group(normsys("x"), settings=settings)


def test_bounds_in_the_wrong_order_are_refused():
    settings = [{"name": "x", "bounds": [[2, 1]]}]
    with pytest.raises(ModelError, match=r"bounds \[2, 1\] of parameter 'x'"):
        one_group(normsys("x"), settings=settings)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        *[("normfactor", key) for key in ("auxdata", "sigmas", "factors")],
        *[("shapefactor", key) for key in ("auxdata", "sigmas", "factors")],
        *[("normsys", "factors"), ("staterror", "factors"), ("shapesys", "sigmas")],
    ],
)
def test_settings_that_a_type_does_not_have_are_refused(kind, key):
    data = {"normsys": {"lo": 0.9, "hi": 1.1}, "shapesys": [1], "staterror": [1]}
    settings = [{"name": "x", key: [1.0]}]
    message = f"sets '{key}' of parameter 'x', which a {kind} does not have: remove it"
    with pytest.raises(ModelError, match=message):
        one_group(modifier(kind, "x", data.get(kind)), settings=settings)


@pytest.mark.parametrize("width", [0, 0.0, -1.0])
def test_t25_constraints_without_width_are_refused(width):
    """ROOT drops the constraint of a luminosity without uncertainty; pyhf says NaN."""
    message = rf"sigmas \[{width:g}.*\] of parameter .lumi. must be positive.*fixed"
    with pytest.raises(ModelError, match=message):
        one_group(modifier("lumi", "lumi"), settings=[{**LUMI, "sigmas": [width]}])


def test_t25_a_fixed_luminosity_without_uncertainty_has_a_constant_term():
    settings = [{**LUMI, "sigmas": [0.0], "fixed": True}]
    group = one_group(modifier("lumi", "lumi"), settings=settings)
    assert (group.fixed, group.constraint, group.widths) == ((True,), "normal", (1.0,))


def test_impossible_poisson_constraints_are_refused():
    shape = modifier("shapesys", "x", [1.0])
    with pytest.raises(ModelError, match=r"factors .* of parameter 'x'"):
        one_group(shape, settings=[{"name": "x", "factors": [0.0]}])
    with pytest.raises(ModelError, match=r"auxdata .* of parameter 'x'"):
        one_group(shape, settings=[{"name": "x", "auxdata": [-1.0]}])
    assert one_group(shape, settings=[{"name": "x", "auxdata": [0.0]}])


@pytest.mark.parametrize(("lo", "hi"), [(-0.1, 1.1), (0.9, -0.5)])
def test_negative_factors_of_a_normsys_are_refused(lo, hi):
    message = f"normsys 'x' of sample 'top' in channel 'SR' has lo {lo:g} and hi {hi:g}"
    with pytest.raises(ModelError, match=message):
        one_group(normsys("x", lo, hi))


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_factors_that_are_not_finite_are_refused(value):
    message = f"'SR' has lo 0.9 and hi {value:g}: a factor has to be finite"
    with pytest.raises(ModelError, match=message):
        one_group(normsys("x", 0.9, value))


def test_t1_factors_of_zero_are_allowed():
    assert one_group(normsys("x", 0, 2)).size == 1


# -- parameter of interest --------------------------------------------------------

MU = modifier("normfactor", "mu_SIG")


def interest(poi, *modifiers, background=()):
    groups, workspace = groups_of(
        {"SR": [sample("s", *modifiers)]}, poi=poi, whole=True
    )
    before = None
    if background:
        before = groups_of({"SR": [sample("s", *background)]}, poi=poi, whole=True)[1]
    return parameter_of_interest(groups, workspace.measurement(None), before)


def test_parameter_of_interest_is_the_one_that_the_measurement_names():
    assert interest("mu_SIG", MU) == "mu_SIG"
    assert interest("", MU) is None


def test_parameter_of_interest_may_be_missing():
    assert interest("mu", normsys("x")) == "mu"


def test_parameter_of_interest_that_differs_in_capitals():
    assert interest("mu_sig", MU) == "mu_SIG"


def test_parameter_of_interest_is_else_the_only_normfactor_of_the_signal():
    top = modifier("normfactor", "mu_top")
    assert interest("mu", MU, top, background=[top]) == "mu_SIG"
    other = modifier("normfactor", "k")
    assert interest("mu", MU, top, other, background=[top]) == "mu"
    assert interest("mu", MU, top) == "mu"

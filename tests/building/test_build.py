"""From workspaces to arrays: where everything stands, and what is refused."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import (
    ModelError,
    PrecisionError,
    SpecificationError,
    UnknownNameError,
)
from hfjax.model.model import Model
from hfjax.model.settings import ModelSettings
from tests.workspaces import (
    LUMI,
    MU,
    all_kinds,
    histosys,
    make,
    modifier,
    normsys,
    one_sample,
    sample,
    workspace,
)


def rates(model, **values):
    """Expected events of each sample and bin, other parameters at their start."""
    return model.expected_rates(jnp.asarray(model.parameters.pack(values))).tolist()


logpdf = jax.jit(Model.logpdf)

# -- precision --------------------------------------------------------------------


def test_a_model_needs_float64():
    with jax.enable_x64(False), pytest.raises(PrecisionError) as caught:
        make(one_sample(MU))
    assert "jax.config.update('jax_enable_x64', True)" in str(caught.value)


def test_all_numbers_of_a_model_are_in_float64():
    floating = {leaf.dtype for leaf in jax.tree.leaves(make(all_kinds()))}
    assert floating == {jnp.dtype(t) for t in ("float64", "int32", "bool")}


def test_unknown_settings_are_refused():
    with pytest.raises(
        ModelError, match=r"normsys has no .* 'code0': choose of \['code1"
    ):
        ModelSettings(normsys="code0")
    with pytest.raises(ModelError, match="histosys has no interpolation 'code4'"):
        ModelSettings(histosys="code4")


def test_one_interpolation_code_does_not_reset_the_other():
    """As `modifier_settings` of pyhf 0.7.6 does."""
    assert ModelSettings(normsys="code1").histosys == "code4p"
    assert ModelSettings(histosys="code0").normsys == "code4"


# -- layout -----------------------------------------------------------------------


def test_t22_channels_and_samples_are_sorted_however_they_are_listed():
    document = all_kinds()
    assert [c["name"] for c in document["channels"]] == ["SR", "CR"]
    document["observations"].reverse()
    model, data = make(document)
    assert model.names.channels == ("CR", "SR")
    assert model.names.bins == (1, 3)
    assert model.names.samples == ("fakes", "signal", "top")
    assert model.bin_channel.tolist() == [0, 1, 1, 1]
    assert data.main.tolist() == [58, 25, 24, 47]
    nominal = [[0, 4, 0, 3], [1, 2, 5, 1], [60, 20, 22, 40]]
    assert model.block.nominal.tolist() == nominal


def test_auxiliary_data_follow_the_order_of_parameters():
    model, data = make(all_kinds())
    constrained = [
        *("tilt", "lumi", "acceptance", "xsec"),
        *("fake[0]", "fake[1]", "fake[2]", "stat_SR[0]", "stat_SR[1]", "stat_SR[2]"),
    ]
    assert data.aux.tolist() == [0, 1, 0, 0, 16, 1, 2.25, 1, 1, 1]
    names = np.array(model.parameters.names)
    positions = model.gaussian.position, model.poisson.position
    found = dict(zip(positions[0].tolist(), names[model.gaussian.index], strict=True))
    found |= dict(zip(positions[1].tolist(), names[model.poisson.index], strict=True))
    assert [found[i] for i in range(10)] == constrained


def test_a_sample_that_a_channel_lacks_contributes_nothing():
    model, _ = make(all_kinds())
    assert rates(model)[0][0] == 0.0


def test_every_array_is_on_the_device_and_names_are_none_of_them():
    model, data = make(all_kinds())
    leaves = jax.tree.leaves((model, data))
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    bare = jax.tree.structure(model.anonymous())
    other = all_kinds()
    other["channels"][0]["name"] = other["observations"][0]["name"] = "SR2"
    assert jax.tree.structure(make(other)[0].anonymous()) == bare
    assert jax.tree.structure(make(other)[0]) != jax.tree.structure(model)


def test_modifiers_act_on_the_cells_that_list_them_and_on_no_others():
    model, _ = make(all_kinds())
    start = np.array(rates(model))
    touched = {
        "mu": [(1, 0), (1, 1), (1, 2), (1, 3)],
        "k_fake": [(0, 1), (0, 3)],
        "lumi": [(s, b) for s in (1, 2) for b in range(4) if (s, b) != (2, 0)],
        "acceptance": [(1, b) for b in range(4)],
        "xsec": [(0, 1), (0, 3), (2, 0), (2, 1), (2, 2), (2, 3)],
        "tilt": [(2, 0), (2, 1), (2, 2), (2, 3)],
        "free[0]": [(2, 0)],
        "fake[0]": [(0, 1)],
        "fake[1]": [],
        "fake[2]": [(0, 3)],
        "stat_SR[0]": [(1, 1), (2, 1)],
        "stat_SR[2]": [(1, 3), (2, 3)],
    }
    for name, cells in touched.items():
        changed = np.array(rates(model, **{name: 1.37})) != start
        assert sorted(zip(*np.nonzero(changed), strict=True)) == sorted(cells), name


def test_a_parameter_that_is_no_number_stays_in_its_cells():
    model, _ = make(all_kinds())
    found = np.array(rates(model, **{"free[0]": math.nan, "acceptance": math.nan}))
    assert np.argwhere(np.isfinite(found[0])).size == 4
    assert np.isfinite(found[2, 1:]).all()


def test_a_workspace_without_modifiers():
    model, data = make(one_sample(data=(4.0, 2.0), observed=(3, 2)))
    assert model.parameters.names == ()
    found = model.logpdf(jnp.zeros(0), data)
    known = 3 * math.log(4) - 4 - math.log(6) + 2 * math.log(2) - 2 - math.log(2)
    assert float(found) == pytest.approx(known, rel=1e-12)
    assert data.aux.shape == (0,)


# -- meaning of single modifiers --------------------------------------------------


def test_t2_one_modifier_twice_on_a_sample_is_refused():
    """pyhf 0.7.6 keeps the last."""
    with pytest.raises(SpecificationError, match="modifier"):
        make(one_sample(normsys("x", 0.9, 1.1), normsys("x", 0.8, 1.2)))


def test_t9_staterror_moves_the_samples_that_carry_it():
    channel = [
        sample("a", [8, 10], modifier("staterror", "stat", [3, 0])),
        sample("b", [2, 10], modifier("staterror", "stat", [4, 2])),
        sample("c", [90, 80]),
    ]
    model, _ = make(workspace({"SR": channel}))
    assert model.gaussian.width.tolist() == [0.5, 0.1]
    assert rates(model, stat=[2.0, 3.0]) == [[16, 30], [4, 30], [90, 80]]


def test_t10_staterror_across_channels_counts_bins_of_all():
    stats = [
        modifier("staterror", "stat", [1.0]),
        modifier("staterror", "stat", [1, 1]),
    ]
    model, _ = make(
        workspace(
            {"b": [sample("s", [10], stats[0])], "a": [sample("s", [5, 2], stats[1])]}
        )
    )
    assert model.parameters.names == ("stat[0]", "stat[1]", "stat[2]")
    assert rates(model, stat=[2.0, 3.0, 5.0]) == [[10.0, 6.0, 50.0]]


@pytest.mark.parametrize(
    ("kind", "constant"),
    [("shapesys", -1.0), ("staterror", -0.5 * math.log(2 * math.pi))],
)
def test_t11_t14_bins_without_constraint_keep_a_constant_term(kind, constant):
    """Poisson(1 | 1) and Normal(1 | 1, 1), and a fixed parameter in each such bin."""
    document = one_sample(modifier(kind, "g", [0.0, 1.0]), data=(5, 0), observed=(5, 0))
    model, data = make(document)
    assert model.parameters.names == ("g[0]", "g[1]")
    assert model.parameters.fixed.tolist() == [True, True]
    assert data.aux.tolist() == [1.0, 1.0]
    main = 5 * math.log(5) - 5 - math.lgamma(6)
    found = float(model.logpdf(model.parameters.init, data))
    assert found == pytest.approx(main + 2 * constant, rel=1e-12)


def test_t17_histosys_and_normsys_of_one_name_move_together():
    document = one_sample(normsys("x", 0.8, 1.5), histosys("x", [6], [14]), MU)
    model, _ = make(document)
    assert model.parameters.names == ("x", "mu")
    assert rates(model, x=1.0, mu=2.0) == [[2.0 * 1.5 * 14.0]]
    assert rates(model, x=-1.0) == [[pytest.approx(0.8 * 6.0)]]


def test_t17_histosys_shifts_are_taken_against_the_nominal_and_added_first():
    shifts = histosys("h0", [8], [13]), histosys("h1", [9], [12])
    model, _ = make(one_sample(*shifts, normsys("n0", 0.5, 1.5), MU))
    expected = 3.0 * 1.5 * (10 + 3 + 2)
    assert rates(model, h0=1.0, h1=1.0, n0=1.0, mu=3.0) == [[expected]]


def test_shared_shapefactor_of_a_wide_and_a_narrow_channel():
    free = modifier("shapefactor", "f")
    channels = {"a": [sample("s", [10], free)], "b": [sample("s", [1, 2], free)]}
    model, _ = make(workspace(channels))
    assert model.parameters.names == ("f[0]", "f[1]")
    assert rates(model, f=[2.0, 3.0]) == [[20.0, 2.0, 6.0]]


# -- measurements, parameters of interest, patches --------------------------------


def two_measurements():
    document = all_kinds()
    other = {"poi": "k_fake", "parameters": [{**LUMI, "sigmas": [0.3]}]}
    document["measurements"].append({"name": "fakes", "config": other})
    return Workspace.parse(document)


@pytest.mark.parametrize(
    ("chosen", "poi", "width"),
    [(0, "mu", 0.02), (1, "k_fake", 0.3), ("fakes", "k_fake", 0.3)],
)
def test_measurement_by_name_or_position(chosen, poi, width):
    model, _ = build(two_measurements(), chosen)
    assert model.poi_name == poi
    assert model.parameters.names[int(model.poi)] == poi
    assert width in model.gaussian.width.tolist()


def test_the_first_measurement_is_taken_with_a_warning():
    with pytest.warns(UserWarning, match="took the first"):
        model, _ = build(two_measurements())
    assert model.poi_name == "mu"


def test_unknown_measurement_is_refused():
    with pytest.raises(UnknownNameError, match="fake"):
        build(two_measurements(), "fake")
    with pytest.raises(UnknownNameError):
        build(two_measurements(), 2)


@pytest.mark.parametrize("poi", ["", "mu"])
def test_a_background_only_workspace_builds(poi):
    background = workspace(
        {"SR": [sample("top", [10], normsys("x", 0.9, 1.1))]},
        None,
        {"name": "mu", "bounds": [[0, 5]]},
        poi=poi,
    )
    model, data = make(background)
    assert int(model.poi) == -1
    assert model.poi_name is None
    assert math.isfinite(model.logpdf(model.parameters.init, data))


@pytest.mark.parametrize("name", ["staus", "sbottomA", "sleptons", "offshell"])
def test_published_background_only_workspaces_build(name, data_dir):
    document = Workspace.load(data_dir / "likelihoods" / name / "BkgOnly.json")
    model, data = build(document)
    assert model.poi_name is None
    assert math.isfinite(logpdf(model, model.parameters.init, data))


SIGNAL = {"op": "add", "path": "/channels/0/samples/-"}


def test_a_patch_is_applied_from_operations_and_from_a_patchset():
    background = workspace({"SR": [sample("top", [10.0])]}, poi="mu")
    operations = [{**SIGNAL, "value": sample("signal", [2.0], MU)}]
    patches = {
        "metadata": {
            "references": {"hepdata": "ins1234567"},
            "digests": {"sha256": Workspace.parse(background).digest()},
            "labels": ["mass"],
            "description": "signals",
        },
        "patches": [
            {"metadata": {"name": "p", "values": [1]}, "patch": operations},
        ],
        "version": "1.0.0",
    }
    for patch in (operations, PatchSet.parse(patches)["p"]):
        model, _ = build(Workspace.parse(background), patch=patch)
        assert model.names.samples == ("signal", "top")
        assert (model.poi_name, int(model.poi)) == ("mu", 0)


def test_a_signal_may_bring_its_own_parameter_of_interest():
    """See `hfjax.documents.parameters.parameter_sets.parameter_of_interest`."""
    background = Workspace.parse(
        workspace({"SR": [sample("top", [10.0])]}, poi="mu_Sig")
    )
    own = modifier("normfactor", "mu_signal")
    operations = [{**SIGNAL, "value": sample("signal", [2.0], own)}]
    assert build(background, patch=operations)[0].poi_name == "mu_signal"


def test_a_parameter_of_interest_of_one_bin_is_one_and_of_two_is_none():
    free = modifier("shapefactor", "f")
    model, _ = make(workspace({"SR": [sample("s", [10], free)]}, poi="f"))
    assert (model.poi_name, model.parameters.names) == ("f", ("f[0]",))
    model, _ = make(workspace({"SR": [sample("s", [10, 9], free)]}, poi="f"))
    assert int(model.poi) == -1
    message = r"parameter of interest 'f' has 2 components: .* such as 'f\[0\]'"
    with pytest.raises(ModelError, match=message):
        _ = model.poi_name


@pytest.mark.parametrize("start", [-0.1, 5.1])
def test_initial_values_outside_their_bounds_are_refused(start):
    settings = {"name": "mu", "inits": [start], "bounds": [[0, 5]]}
    message = rf"'mu' starts at {start:g}, outside its bounds \[0, 5\]: correct"
    with pytest.raises(ModelError, match=message):
        make(workspace({"SR": [sample("s", [10], MU)]}, None, settings))


def test_initial_values_on_their_bounds_are_allowed():
    settings = {"name": "mu", "inits": [5], "bounds": [[0, 5]]}
    model, _ = make(workspace({"SR": [sample("s", [10], MU)]}, None, settings))
    assert model.parameters.init.tolist() == [5.0]


# -- crossings of polynomials -----------------------------------------------------


def test_polynomials_that_cross_zero_are_found():
    document = one_sample(normsys("n0", 0.0, 40.0), normsys("n1", 0.9, 1.2))
    model, _ = make(document)
    assert model.crossings.index.tolist() == [0] * model.crossings.index.size
    assert model.crossings.index.size > 0
    for value in model.crossings.value.tolist():
        assert rates(model, n0=value)[0][0] == pytest.approx(0.0, abs=1e-4)


def test_crossings_are_listed_once_and_not_without_bound():
    deep = [normsys(f"n{i}", 0.0, 30.0 + i) for i in range(9)]
    channels = {c: [sample("s", [9], *deep), sample("t", [5], *deep)] for c in "ab"}
    model, _ = make(workspace(channels))
    places = list(
        zip(model.crossings.index.tolist(), model.crossings.value.tolist(), strict=True)
    )
    assert len(set(places)) == len(places) == 12
    # the deepest undershoots are those of the largest variations
    assert {index for index, _ in places} >= {6, 7, 8}


def test_polynomials_beyond_what_numbers_hold_have_no_crossings():
    model, _ = make(one_sample(normsys("n0", 0.9, 1e308)))
    assert model.crossings.index.size == 0


@pytest.mark.parametrize("code", ["code4", "code1"])
def test_ordinary_models_have_no_crossings(code):
    assert make(all_kinds(), normsys=code)[0].crossings.index.size == 0
    extreme = one_sample(normsys("n0", 0.0, 40.0))
    assert (make(extreme, normsys=code)[0].crossings.index.size > 0) == (
        code == "code4"
    )

"""Scans as one batched model: every point means what it means alone."""

import dataclasses
import gc
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.building.points import ScanBatch, ScanGroup
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import UnknownNameError
from tests.assertions import assert_close
from tests.building.patchsets import VARIED, add, background, patchset, remove
from tests.likelihoods import load_likelihood
from tests.workspaces import MU, modifier, normsys, sample as signal

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return background()


@pytest.fixture(scope="module")
def varied() -> PatchSet:
    return patchset(VARIED)


@pytest.fixture(scope="module")
def batch(workspace, varied) -> ScanBatch:
    return build_scan(workspace, varied)


def only_group(batch: ScanBatch) -> ScanGroup:
    (group,) = batch.groups
    return group


# -- every point is the model of its own -------------------------------------------


def random_values(parameters, seed) -> dict:
    """Values of all parameters by name, somewhere around their initial values."""
    random = np.random.default_rng(seed)
    noise = random.uniform(-1.0, 1.0, len(parameters.names))
    wide = np.asarray(parameters.lower) < 0.0
    values = np.where(wide, 1.8 * noise, 1.0 + 0.5 * noise)
    return dict(zip(parameters.names, values, strict=True))


logpdf = jax.jit(lambda model, params, data: model.logpdf(params, data))
rates = jax.jit(lambda model, params: model.expected_rates(params).sum(axis=0))


def union_name(name: str, patch: str) -> str:
    """Name in the union: without channel A its two gammas are missing in front."""
    if patch == "without_A" and name == "mc[0]":
        return "mc[2]"
    return name


def assert_same_meaning(workspace, patches, group, draws=2):
    """Rates, log-density and settings of all points are those of their own models."""
    union = group.template.parameters
    for i, member in enumerate(group.members):
        model, data = group.point(i)
        alone, its_data = build(workspace, patch=patches[member.name])
        places = [
            union.names.index(union_name(name, member.name))
            for name in alone.parameters.names
        ]
        for key in ("init", "lower", "upper", "fixed"):
            ours = np.asarray(getattr(model.parameters, key))[places]
            np.testing.assert_array_equal(ours, getattr(alone.parameters, key))
        assert model.poi == places[int(alone.poi)]
        lacking = np.setdiff1d(np.arange(union.init.size), places)
        assert np.asarray(model.parameters.fixed)[lacking].all()
        present = np.asarray(model.bin_present)
        assert_close(data.main[present], its_data.main, 1e-12)
        for seed in range(draws):
            values = random_values(union, seed)
            params = jnp.array([values[name] for name in union.names])
            own = params[jnp.array(places)]
            # which of the bins of the union are those of the point
            assert_close(rates(model, params)[present], rates(alone, own), 1e-11)
            known = logpdf(alone, own, its_data)
            assert_close(logpdf(model, params, data), known, 1e-11)


@pytest.mark.slow
def test_points_mean_what_they_mean_alone(workspace, varied, batch):
    assert batch.failures == {}
    assert_same_meaning(workspace, varied, only_group(batch))


def some_of(names: list[str], number: int) -> list[str]:
    """As many names as that, from all over the list."""
    return names[:: max(1, len(names) // number)][:number]


def test_points_of_the_example_mean_what_they_mean_alone():
    workspace = Workspace.load(EXAMPLES / "BkgOnly.json")
    patches = PatchSet.load(EXAMPLES / "patchset.json")
    names = some_of([patch.name for patch in patches], 6)
    batch = build_scan(workspace, patches, names=names)
    assert_same_meaning(workspace, patches, only_group(batch), draws=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "sbottomA",
        pytest.param("staus", marks=pytest.mark.long),
        pytest.param("sleptons", marks=pytest.mark.long),
        pytest.param("offshell", marks=pytest.mark.long),
    ],
)
def test_published_points_mean_what_they_mean_alone(name, data_dir):
    workspace, patches = load_likelihood(name, data_dir)
    names = some_of([patch.name for patch in patches], 4)
    batch = build_scan(workspace, patches, names=names)
    assert batch.failures == {}
    for group in batch.groups:
        assert_same_meaning(workspace, patches, group, draws=1)


# -- what is stored ----------------------------------------------------------------


def leaves_of(pair) -> list:
    """All leaves, None as well, but for templates, which a batch does not know.

    Nor for local parameters, which a model of few bins has none of.
    """
    leaves = jax.tree.leaves_with_path(pair, is_leaf=lambda leaf: leaf is None)
    return [
        leaf
        for path, leaf in leaves
        if not {".sources", ".local"} & {str(key) for key in path}
    ]


def test_every_leaf_is_stored_once(batch):
    """Shared if all points agree, else stacked; never both, and never in vain."""
    group = only_group(batch)
    shared, stacked = leaves_of(group.lanes.shared), leaves_of(group.lanes.stacked)
    assert len(shared) == len(stacked)
    for one, many in zip(shared, stacked, strict=True):
        assert (one is None) != (many is None)
        if many is not None:
            assert many.shape[0] == len(group.members)
            rows = np.asarray(many)
            assert any(not np.array_equal(rows[0], row) for row in rows[1:])


def test_points_that_differ_in_yields_stack_nothing_else(workspace):
    patches = patchset(
        {
            f"s{scale}": [
                add(0, signal(f"signal_{scale}", [10.0 * scale, 5.0], MU)),
                add(
                    1,
                    signal(
                        f"signal_{scale}",
                        [
                            2.0,
                        ],
                        MU,
                    ),
                ),
            ]
            for scale in (1, 2, 3)
        }
    )
    group = only_group(build_scan(workspace, patches))
    stacked = [leaf for leaf in leaves_of(group.lanes.stacked) if leaf is not None]
    assert len(stacked) == 1
    model, _ = group.lanes.stacked
    assert_close(model.block.nominal[:, 0, 0], [10.0, 20.0, 30.0], 0)


@pytest.mark.slow
def test_the_background_of_a_published_scan_is_shared(data_dir):
    """Hundreds of points cost little more than one."""
    workspace, patches = load_likelihood("staus", data_dir)
    names = [patch.name for patch in patches][:20]
    group = only_group(build_scan(workspace, patches, names=names))
    background, (_, data), (stacked, its_data) = group.lanes
    assert its_data.main is None
    assert data.main.shape == (5,)
    assert background.nominal.size > stacked.block.nominal[0].size
    alone, _ = build(workspace, patch=patches[names[0]])
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(alone))
    one_more = sum(leaf.nbytes for leaf in jax.tree.leaves(group.lanes.stacked)) / len(
        names
    )
    assert one_more < size / 2


def test_a_point_is_a_model_and_its_data(batch):
    group = only_group(batch)
    model, data = group.point(0)
    assert not any(leaf is None for leaf in leaves_of((model, data)))
    assert model.bin_present.shape == data.main.shape == (6,)


# -- alignment ---------------------------------------------------------------------


def alone_models(workspace, patches):
    return {p.name: build(workspace, patch=p)[0] for p in patches}


def test_parameters_are_the_union_of_all_points(workspace, varied, batch):
    names = set(only_group(batch).template.parameters.names)
    alone = alone_models(workspace, varied).values()
    assert names == {name for model in alone for name in model.parameters.names}


def test_the_order_of_parameters_may_differ(workspace, varied, batch):
    """Or the test of meaning above would not test it."""
    alone = alone_models(workspace, varied)
    first, last = alone["first"].parameters.names, alone["last"].parameters.names
    both = [name for name in first if name in last]
    assert both != [name for name in last if name in first]
    assert only_group(batch).members[0].name == "first"


def test_every_signal_has_a_name_of_its_own(workspace, varied, batch):
    """The names of samples align nothing: signals share their row of the block."""
    alone = alone_models(workspace, varied)
    names = {n for model in alone.values() for n in model.names.samples}
    assert {"aa", "zz", "signal", "s"} <= names
    stacked, _ = only_group(batch).lanes.stacked
    # three samples of the background that not all points have alike, and a signal
    assert stacked.block.nominal.shape[1] == 4


def test_lacking_bins_are_masked(batch):
    group = only_group(batch)
    present = {
        m.name: group.point(i)[0].bin_present for i, m in enumerate(group.members)
    }
    np.testing.assert_array_equal(present["without_A"], [0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(present["without_C"], [1, 1, 1, 0, 0, 0])
    for name in ("first", "last", "shapes", "replaced"):
        assert present[name].all()


def test_lacking_constraints_are_masked(workspace, varied, batch):
    group = only_group(batch)
    alone = alone_models(workspace, varied)
    for i, member in enumerate(group.members):
        model, _ = group.point(i)
        own = alone[member.name]
        assert model.gaussian.present.sum() == own.gaussian.index.size
        assert model.poisson.present.sum() == own.poisson.index.size


def test_t9_a_shared_staterror_changes_the_widths_of_a_patch(batch):
    """A signal that takes part in the background's gammas changes their widths."""
    group = only_group(batch)
    names = group.template.parameters.names
    top, signal_too = 0.8 / 8.0, np.hypot(0.8, 0.3) / (8.0 + 2.0)
    for patch, width in (("first", top), ("last", signal_too)):
        (i,) = [k for k, m in enumerate(group.members) if m.name == patch]
        model, _ = group.point(i)
        index = names.index("mc_C[0]")
        (row,) = np.flatnonzero(model.gaussian.index == index)
        assert_close(model.gaussian.width[row], width, 1e-12)


def test_a_name_of_two_meanings_makes_two_groups(workspace):
    patches = patchset(
        {
            "factor": [
                add(0, signal("s", [9.0, 5.0], MU, modifier("normfactor", "x")))
            ],
            "system": [add(0, signal("s", [9.0, 5.0], MU, normsys("x", 0.9, 1.1)))],
            "again": [add(1, signal("s", [9.0], MU, modifier("normfactor", "x")))],
        }
    )
    batch = build_scan(workspace, patches)
    members = [[m.name for m in group.members] for group in batch.groups]
    assert sorted(members) == [["factor", "again"], ["system"]]
    for group in batch.groups:
        assert_same_meaning(workspace, patches, group, draws=1)


# -- what cannot be tested ---------------------------------------------------------

BROKEN = {
    "good": [add(0, signal("s", [9.0, 5.0], MU))],
    "empty": [],
    "no_poi": [add(0, signal("s", [9.0, 5.0]))],
    "no_path": [{"op": "remove", "path": "/channels/7"}],
    "bins": [add(0, signal("s", [9.0, 5.0, 1.0], MU))],
    "duplicate": [add(0, signal("top", [9.0, 5.0], MU))],
    "unobserved": [add(1, signal("s", [9.0], MU)), remove(0)[1]],
    "fine": [add(1, signal("s", [9.0], MU))],
}


def test_a_broken_patch_does_not_stop_the_others(workspace):
    batch = build_scan(workspace, patchset(BROKEN))
    assert [m.name for m in only_group(batch).members] == ["good", "fine"]
    assert list(batch.failures) == [n for n in BROKEN if n not in ("good", "fine")]
    assert len(batch) == len(BROKEN)
    assert [name for name, _ in batch.order] == list(BROKEN)
    assert [values for _, values in batch.order] == [(i,) for i in range(len(BROKEN))]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("empty", "parameter of interest.*'mu' is not in the model.*add a signal"),
        ("no_poi", "parameter of interest.*'mu' is not in the model"),
        ("no_path", "/channels/7"),
        ("bins", "(?s)3.*2|2.*3"),
        ("duplicate", "'top'"),
        ("unobserved", "'A'"),
    ],
)
def test_a_failure_says_what_is_wrong(workspace, patch, words):
    batch = build_scan(workspace, patchset(BROKEN), names=[patch])
    assert batch.groups == ()
    message = batch.failures[patch]
    assert "\n" not in message
    with pytest.raises(ValueError, match=words):
        raise ValueError(message)


def test_a_fixed_poi_is_a_failure_of_every_point():
    """T26."""
    fixed = {"name": "mu", "fixed": True}
    document = background().dump()
    document["measurements"][0]["config"]["parameters"] = [fixed]
    batch = build_scan(Workspace.parse(document), patchset(VARIED))
    assert set(batch.failures) == set(VARIED)
    assert all("'mu' is fixed" in message for message in batch.failures.values())


def test_points_are_chosen_by_name_in_that_order(workspace, varied):
    batch = build_scan(workspace, varied, names=["last", "first"])
    assert [name for name, _ in batch.order] == ["last", "first"]
    assert batch.labels == ("position",)


def test_unknown_names_are_refused(workspace, varied):
    with pytest.raises(UnknownNameError, match="'without_A'"):
        build_scan(workspace, varied, names=["without_B"])
    with pytest.raises(UnknownNameError, match="measurement"):
        build_scan(workspace, varied, measurement="none")


def test_the_workspace_is_left_alone(workspace, varied):
    before = workspace.dump()
    build_scan(workspace, varied)
    assert workspace.dump() == before


def test_groups_are_immutable(batch):
    with pytest.raises(dataclasses.FrozenInstanceError):
        only_group(batch).members = ()  # type: ignore[misc]


def test_batches_keep_no_patched_workspaces(workspace):
    def alive():
        return sum(isinstance(each, Workspace) for each in gc.get_objects())

    before = alive()
    batch = build_scan(
        workspace, patchset({name: VARIED[name] for name in list(VARIED)[:2]})
    )
    gc.collect()
    assert len(batch) == 2
    assert alive() <= before

"""Functions of all points of a scan at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.errors import ModelError
from tests.building.patchsets import VARIED, add, background, patchset
from tests.workspaces import MU, modifier, sample

WRONG = {"wrong": [add(0, sample("s", [1.0], MU))]}
"""A patch with too few bins."""


def density(model, data):
    """Log-density at mu = 1.2, by name."""
    return model.logpdf(model.parameters.pack({"mu": 1.2}), data)


@pytest.fixture(scope="module")
def alone():
    """The same for every point by itself."""
    workspace, patches = background(), patchset(VARIED)
    points = {name: build(workspace, patch=patches[name]) for name in VARIED}
    return {name: float(density(*point)) for name, point in points.items()}


@pytest.mark.slow
def test_a_function_of_all_points_is_that_of_each(alone):
    batch = build_scan(background(), patchset(VARIED | WRONG))
    assert list(batch.failures) == ["wrong"]
    assert batch.names == tuple(VARIED)
    found = batch.vmap(density)
    np.testing.assert_allclose(found, list(alone.values()), rtol=1e-12)


@pytest.mark.slow
def test_points_of_other_shapes_come_back_in_the_order_of_the_patchset(alone):
    first, *others = VARIED
    mixed = {first: VARIED[first]} | removed_c() | {n: VARIED[n] for n in others}
    batch = build_scan(background(), patchset(mixed))
    assert len(batch.groups) == 2
    assert batch.names == tuple(mixed)
    found = dict(zip(batch.names, batch.vmap(density).tolist(), strict=True))
    for name, value in alone.items():
        assert found[name] == pytest.approx(value, rel=1e-12)


def removed_c():
    """A point in which mc_C is another kind of parameter: that channel is removed."""
    path = "/channels/2"
    remove = [{"op": "remove", "path": p} for p in (path, "/observations/2")]
    shift = modifier("normsys", "mc_C", {"lo": 0.9, "hi": 1.1})
    return {"other": [add(1, sample("s", [5.0], MU, shift)), *remove]}


def test_results_may_be_any_pytree_and_derivatives():
    batch = build_scan(background(), patchset(VARIED))

    def look(model, data):
        def of(mu):
            return model.logpdf(model.parameters.pack({"mu": mu}), data)

        return {"slope": jax.grad(of)(0.5), "counts": data["B"]}

    found = jax.jit(lambda: batch.vmap(look))()
    assert found["slope"].shape == (len(VARIED),)
    assert found["counts"].tolist() == [[45.0]] * len(VARIED)
    one, data = batch.groups[0].point(1)
    assert one.poi_name == "mu"
    step = 1e-6
    ends = [
        one.logpdf(one.parameters.pack({"mu": 0.5 + sign * step}), data)
        for sign in (-1, 1)
    ]
    assert float(found["slope"][1]) == pytest.approx(
        float(ends[1] - ends[0]) / (2 * step), 1e-5
    )


def test_results_of_other_shapes_are_refused():
    batch = build_scan(background(), patchset(VARIED | removed_c()))
    with pytest.raises(ModelError, match="of different shapes"):
        batch.vmap(lambda model, _: jnp.zeros(model.parameters.init.size))


def test_a_batch_without_a_model_is_refused():
    batch = build_scan(background(), patchset(WRONG))
    assert batch.names == ()
    with pytest.raises(ModelError, match="no point of the scan has a model"):
        batch.vmap(density)


def test_samples_of_a_batch_have_names():
    batch = build_scan(background(), patchset(VARIED))
    model, _ = batch.groups[0].point(0)
    rates = model.expected_rates(model.parameters.init)
    assert len(model.names.samples) == rates.shape[0]
    own = [name for name in model.names.samples if name.startswith("signal")]
    assert own == [f"signal[{row}]" for row in range(len(own))]
    assert set(model.names.samples) - set(own) == {"multijet", "top"}  # in all points


def test_a_batch_and_a_model_show_what_is_in_them():
    batch = build_scan(background(), patchset(VARIED | WRONG))
    assert repr(batch).splitlines() == [
        f"ScanBatch: {len(VARIED) + 1} points, labels position",
        f"  points of one shape: {len(VARIED)}; without a model: 1",
    ]
    (group,) = batch.groups
    assert repr(group) == f"ScanGroup: {len(VARIED)} points, first to replaced"
    model, _ = group.point(0)
    assert repr(model).splitlines()[0].startswith("Model: 3 channels with 6 bins, ")
    assert "parameter of interest 'mu'" in repr(model)
    assert "f64[" in repr(model.anonymous())

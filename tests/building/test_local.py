"""Parameters that act in one bin alone are known; fits that do not know them agree."""

import dataclasses

import jax
import numpy as np
import pytest

import hfjax
from hfjax.building import build
from tests.workspaces import (
    MU,
    all_kinds,
    extended,
    given,
    lopsided,
    make,
    many_bins,
    modifier,
    normsys,
    patch,
    patchset,
    sample,
    workspace,
)

BINS = 12


def names_of(model, index):
    """Names of parameters, ``-`` for what stands for none."""
    names = (*model.parameters.names, "-")
    return [names[i] for i in np.ravel(index)]


def test_gammas_and_the_factor_of_a_single_bin_are_local():
    model, _ = make(many_bins())
    local = model.local
    assert local.index.shape == (2, BINS + 1)
    found = {*names_of(model, local.index)}
    gammas = {f"{name}[{i}]" for name in ("stat_SR", "fakes") for i in range(BINS)}
    assert found == gammas | {"k", "-"}
    assert names_of(model, local.others) == ["scale", "mu", "xsec"]


def test_each_stands_in_the_bin_in_which_it_acts():
    model, _ = make(many_bins())
    names = names_of(model, model.local.index[:, 4])
    assert model.names.channels[0] == "CR"
    assert names == ["fakes[3]", "stat_SR[3]"]
    assert names_of(model, model.local.index[:, 0]) == ["k", "-"]


def test_few_bins_and_expressions_have_no_local_parameters():
    assert make(all_kinds())[0].local is None
    assert make(many_bins(7))[0].local is None
    derived = extended(many_bins(), given("k", "mu + 1"))
    assert make(derived)[0].local is None


def test_more_bins_than_a_matrix_of_them_holds_are_not_looked_at(monkeypatch):
    """Other valleys are: what sees them is a matrix of bins by bins."""
    document = lopsided()
    assert make(document)[0].lopsided.index.size > 0
    monkeypatch.setattr(build, "MOST_BINS", 1)
    assert make(document)[0].lopsided.index.size == 0


def without(model):
    """The same model, whose fits do not know."""
    return dataclasses.replace(model, local=None)


@pytest.mark.slow
@pytest.mark.parametrize("held", [{}, {"mu": 0.0}, {"stat_SR[3]": 1.1, "xsec": 0.5}])
def test_fits_that_do_not_know_agree(held):
    model, data = make(many_bins())
    fits = [hfjax.fit(each, data, fixed=held) for each in (model, without(model))]
    one, other = fits
    assert one.converged
    assert other.converged
    np.testing.assert_allclose(one.twice_nll, other.twice_nll, rtol=1e-13)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-7, atol=1e-7)


def test_more_bins_than_parameters_need_no_local_ones():
    """All act in several bins: the Fisher matrix is that of parameters, not of bins."""
    bins = np.linspace(30.0, 50.0, BINS)
    samples = [
        sample("s", (bins / 10.0).tolist(), MU),
        sample("b", bins.tolist(), normsys("xsec", 0.9, 1.1)),
    ]
    document = workspace({"SR": samples}, {"SR": (bins + 2.0).round().tolist()})
    model, data = make(document)
    assert model.local.index.shape == (0, BINS)
    one, other = hfjax.fit(model, data), hfjax.fit(without(model), data)
    np.testing.assert_allclose(one.params, other.params, rtol=0.0, atol=1e-8)
    np.testing.assert_allclose(one.twice_nll, other.twice_nll, rtol=1e-13)


@pytest.mark.slow
def test_tests_and_derivatives_that_do_not_know_agree():
    model, data = make(many_bins())

    def CLs(main, which):
        return hfjax.hypotest(which, dataclasses.replace(data, main=main), 1.0).CLs_obs

    for at, tolerance in ((CLs, 1e-9), (jax.grad(CLs), 1e-7)):
        found, known = (at(data.main, each) for each in (model, without(model)))
        np.testing.assert_allclose(found, known, rtol=tolerance, atol=1e-12)


@pytest.mark.slow
def test_points_of_a_scan_have_them_in_one_shape():
    """The one signal has a gamma of its own and reaches a bin less than the other."""
    workspace = hfjax.Workspace.parse(many_bins())
    signals = [
        {
            "name": "s",
            "data": [1.0] * BINS,
            "modifiers": [modifier("normfactor", "mu")],
        },
        {
            "name": "s",
            "data": [2.0] * BINS,
            "modifiers": [
                modifier("normfactor", "mu"),
                modifier("shapesys", "own", [0.5] * BINS),
                modifier("normfactor", "extra"),
            ],
        },
    ]
    patches = [
        patch(f"p{i}", i, [{"op": "add", "path": "/channels/0/samples/-", "value": s}])
        for i, s in enumerate(signals)
    ]
    points = hfjax.PatchSet.parse(patchset(patches))
    batch = hfjax.build_scan(workspace, points)
    (group,) = batch.groups
    assert group.template.local.index.shape == (3, BINS + 1)
    assert group.template.local.others.size == 4
    found = hfjax.scan(batch)
    for name in batch.names:
        model, data = hfjax.build(workspace, patch=points[name])
        alone = hfjax.hypotest(without(model), data, 1.0)
        np.testing.assert_allclose(found[name].CLs_obs, alone.CLs_obs, rtol=1e-8)

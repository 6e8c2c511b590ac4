"""The log-density, rates and data of models, against loops and published results."""

import functools
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DataError, ParameterError
from hfjax.model.data import Data
from hfjax.model.model import Model
from tests.reference.histfactory import HistFactory
from tests.workspaces import (
    MU,
    all_kinds,
    histosys,
    make,
    modifier,
    normsys,
    one_sample,
    params_of,
    sample,
    some_params,
    workspace,
    workspaces,
)

logpdf = jax.jit(Model.logpdf)
gradient = jax.jit(jax.grad(Model.logpdf, 1))
rates_of = jax.jit(Model.expected_rates)
expected_data = jax.jit(Model.expected_data)

# -- against the slow reference ---------------------------------------------------


@jax.jit
def everything(model, params, data):
    """Rates, expected data and log-density at several vectors of parameters."""

    def one(vector):
        expected = model.expected_data(vector)
        rates = model.expected_rates(vector)
        return rates, expected.main, expected.aux, model.logpdf(vector, data)

    return jax.vmap(one)(params)


def assert_agrees(document, vectors, **codes):
    """Everything that a model says is what the loops over its document say."""
    (model, data), slow = make(document, **codes), HistFactory(document, **codes)
    assert list(model.parameters.names) == slow.parameter_names
    assert model.parameters.init.tolist() == slow.init
    lower = [low for low, _ in slow.bounds]
    np.testing.assert_allclose(model.parameters.lower, lower, rtol=1e-12, atol=0)
    assert model.parameters.upper.tolist() == [high for _, high in slow.bounds]
    assert model.parameters.fixed.tolist() == slow.fixed
    assert data.main.tolist() == slow.observations
    np.testing.assert_allclose(data.aux, slow.auxdata, rtol=1e-12, atol=0)
    known = slow.poi
    assert int(model.poi) == (-1 if known is None else known)
    found = everything(model, jnp.asarray(vectors), data)
    for params, rates, main, aux, value in zip(vectors, *found, strict=True):
        assert_point_agrees(slow, params, (rates, main, aux, value))


def assert_point_agrees(slow, params, found):
    rates, main, aux, value = found
    known = slow.expected_rates(params)
    # terms of the size of the largest rate may cancel: a few hundred ulp of it
    size = 1 + np.abs(known).max()
    np.testing.assert_allclose(rates, known, rtol=1e-11, atol=1e-13 * size)
    np.testing.assert_allclose(main, known.sum(0), rtol=1e-11, atol=1e-13 * size)
    np.testing.assert_allclose(aux, slow.expected_aux(params), rtol=1e-12)
    # where a sum of rates cancels to nothing, its sign is that of rounding
    if (np.abs(known.sum(0)) > 1e-9 * size).all() or (known >= 0).all():
        assert float(value) == pytest.approx(slow.logpdf(params), rel=1e-9, abs=1e-8)


CODES = [
    {"normsys": normsys, "histosys": histosys}
    for normsys in ("code1", "code4")
    for histosys in ("code0", "code2", "code4p")
]
each_code = pytest.mark.parametrize("codes", CODES, ids=lambda c: "-".join(c.values()))


@each_code
@pytest.mark.parametrize("width", [0.3, 2.0])
def test_all_kinds_of_modifiers_with_all_codes(codes, width):
    """Seven types in two channels; with the larger width most ``|alpha| > 1``."""
    names = make(all_kinds())[0].parameters.names
    vectors = [some_params(names, seed, width) for seed in range(5)]
    assert_agrees(all_kinds(), vectors, **codes)


def draw_and_compare(data):
    document = data.draw(workspaces())
    codes = data.draw(st.sampled_from(CODES))
    vectors = st.lists(params_of(HistFactory(document)), min_size=3, max_size=3)
    assert_agrees(document, data.draw(vectors), **codes)


by_chance = functools.partial(
    settings, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
@by_chance(max_examples=12)
@given(st.data())
def test_workspaces_by_chance(data):
    draw_and_compare(data)


@pytest.mark.long
@by_chance(max_examples=100)
@given(st.data())
def test_many_workspaces_by_chance(data):
    draw_and_compare(data)


@pytest.mark.long
@by_chance(max_examples=50)
@given(st.data())
def test_gradients_of_workspaces_by_chance_are_finite(data):
    """At zero rates, zero bins, vanishing factors, and impossible parameters."""
    document = data.draw(workspaces())
    codes = data.draw(st.sampled_from(CODES))
    model, observed = make(document, **codes)
    vectors = st.lists(params_of(HistFactory(document)), min_size=5, max_size=5)
    slopes = jax.jit(jax.vmap(jax.grad(Model.logpdf, 1), (None, 0, None)))
    found = slopes(model, jnp.asarray(data.draw(vectors)), observed)
    assert bool(jnp.all(jnp.isfinite(found)))


# -- against pyhf 0.7.6 on published likelihoods ----------------------------------

ROWS = {"staus": 8, "sbottomA": 8, "sleptons": 5, "offshell": 3}


@functools.cache
def likelihood(folder):
    """A background-only workspace with its patchset."""
    background = Workspace.load(folder / "BkgOnly.json")
    return background, PatchSet.load(folder / "patchset.json")


def published(name, index, data_dir, reference_dir):
    """Model and data of a patch, and the reference results."""
    row = json.loads((reference_dir / f"{name}.json").read_text())["rows"][index]
    background, patchset = likelihood(data_dir / "likelihoods" / name)
    return *build(background, patch=patchset[row["patch"]]), row


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "index"),
    [
        pytest.param(name, i, marks=[pytest.mark.long] if i else [])
        for name, number in ROWS.items()
        for i in range(number)
    ],
)
def test_published_likelihoods(name, index, data_dir, reference_dir):
    model, data, row = published(name, index, data_dir, reference_dir)
    parameters = model.parameters
    assert list(parameters.names) == row["parameters"]
    assert parameters.init.tolist() == row["init"]
    bounds = np.stack([parameters.lower, parameters.upper], axis=1)
    assert bounds.tolist() == row["bounds"]
    assert parameters.fixed.tolist() == row["fixed"]
    # (nominal / uncertainty)^2 may be rounded in another order: a few ulp
    np.testing.assert_allclose(data.aux, row["auxdata"], rtol=1e-12, atol=0)
    vectors = jnp.array([point["params"] for point in row["points"]])
    bare = model.anonymous()
    _, main, _, values = everything(bare, vectors, data)
    slopes = jax.vmap(gradient, (None, 0, None))(bare, vectors, data)
    assert bool(jnp.all(jnp.isfinite(slopes)))
    for point, expected, value in zip(row["points"], main, values, strict=True):
        np.testing.assert_allclose(expected, point["expected"], rtol=1e-10, atol=0)
        # a negative rate with events has no density; pyhf says NaN, we say -inf
        known = -math.inf if math.isnan(point["logpdf"]) else point["logpdf"]
        assert float(value) == pytest.approx(known, rel=1e-9, abs=1e-8)


def test_every_reference_row_is_tested(reference_dir):
    for name, number in ROWS.items():
        rows = json.loads((reference_dir / f"{name}.json").read_text())["rows"]
        assert len(rows) == number


# -- gradients where they are easily lost -----------------------------------------


def numerical(model, data, params, step=1e-6):
    """Central differences of the log-density; one-sided ones where it ends."""
    found = []
    for direction in np.eye(len(params)) * step:
        up, at, down = (
            float(logpdf(model, jnp.asarray(params + s * direction), data))
            for s in (1, 0, -1)
        )
        if math.isfinite(down):
            found.append((up - down) / (2 * step))
        else:
            found.append((up - at) / step)
    return np.array(found)


def assert_gradient_is_right(document, values, rel=1e-6, absolute=2e-5, **codes):
    """Value finite, gradient finite and equal to differences.

    The absolute tolerance covers a one-sided difference: step * curvature.
    """
    model, data = make(document, **codes)
    params = model.parameters.pack(values)
    assert math.isfinite(logpdf(model, jnp.asarray(params), data))
    found = gradient(model, jnp.asarray(params), data)
    known = numerical(model, data, params)
    np.testing.assert_allclose(found, known, rtol=rel, atol=absolute)


def test_gradient_at_ordinary_parameters():
    names = make(all_kinds())[0].parameters.names
    for seed in range(3):
        values = dict(zip(names, some_params(names, seed), strict=True))
        assert_gradient_is_right(all_kinds(), values)


def test_t18_no_rate_and_no_count():
    """A signal alone in its bin, mu = 0; and a bin in which nothing ever happens."""
    document = one_sample(MU, data=(3.0, 0.0), observed=(0, 0))
    assert_gradient_is_right(document, {"mu": 0.0})
    model, data = make(document)
    assert gradient(model, jnp.array([0.0]), data).tolist() == [-3.0]


def test_no_rate_with_counts_is_impossible_and_has_a_finite_gradient():
    model, data = make(one_sample(MU, normsys("n0", 0.9, 1.1), observed=(4,)))
    params = jnp.asarray(model.parameters.pack({"mu": 0.0}))
    assert float(logpdf(model, params, data)) == -math.inf
    assert bool(jnp.all(jnp.isfinite(gradient(model, params, data))))


@pytest.mark.parametrize("mu", [0.0, 1.3])
@pytest.mark.parametrize("kind", ["shapesys", "staterror"])
def test_t11_t14_bins_without_events(kind, mu):
    signal = sample("signal", [0.0, 2.0, 1.0], MU)
    background = sample("b", [0.0, 5.0, 0.0], modifier(kind, "g", [0.0, 1.0, 2.0]))
    document = workspace({"SR": [signal, background]}, observed={"SR": [0, 6, 0]})
    assert_gradient_is_right(document, {"mu": mu, "g": [1.0, 0.7, 1.0]})


@pytest.mark.parametrize(
    ("code", "alpha"),
    [
        *[("code4", alpha) for alpha in (-1.0, -0.999, -0.3, 0.0, 0.4, 1.0, 2.0)],
        *[("code1", alpha) for alpha in (-1.0, -0.3, 0.4, 1.0)],  # jumps at 0
    ],
)
def test_t1_normsys_down_to_zero(code, alpha):
    signal = sample("signal", [2.0], MU, normsys("n0", 0.0, 1.4))
    document = workspace({"SR": [signal, sample("b", [5.0])]}, observed={"SR": [6]})
    step = 1e-6
    # at the seam the third derivative jumps: differences are off by its step^2
    assert_gradient_is_right(document, {"n0": alpha}, absolute=10 * step, normsys=code)


def test_t1_all_of_a_rate_gone_below_its_lower_variation():
    document = one_sample(normsys("n0", 0.0, 1.4), observed=(0,))
    assert_gradient_is_right(document, {"n0": -2.0})


@pytest.mark.parametrize("alpha", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("code", ["code2", "code4p"])
def test_t16_gradient_at_the_seams(alpha, code):
    shift = histosys("h0", [8.0], [13.0])
    document = one_sample(shift, normsys("n0", 0.8, 1.3))
    assert_gradient_is_right(document, {"h0": alpha, "n0": alpha}, histosys=code)


def test_t19_negative_rates_of_a_sample_stand_as_long_as_the_sum_is_positive():
    """No clipping: values and gradients are those of the formula."""
    interference = sample("negative", [-3.0], MU, normsys("n0", 0.8, 1.3))
    document = workspace(
        {"SR": [interference, sample("b", [9.0])]}, observed={"SR": [5]}
    )
    assert_gradient_is_right(document, {"mu": 2.0, "n0": 0.5})
    model, _ = make(document)
    assert rates_of(model, jnp.array([2.0, 0.0])).tolist() == [[9.0], [-6.0]]


@pytest.mark.parametrize("count", [0, 3])
def test_t19_a_negative_sum_has_no_density_and_a_finite_gradient(count):
    document = one_sample(MU, histosys("h0", [2.0], [30.0]), observed=(count,))
    model, data = make(document)
    params = jnp.array([-3.0, 1.0])
    assert rates_of(model, params)[0, 0] < 0.0
    assert float(logpdf(model, params, data)) == -math.inf
    assert bool(jnp.all(jnp.isfinite(gradient(model, params, data))))


def test_t28_many_bins_far_from_their_expectation_do_not_underflow():
    document = one_sample(MU, data=(1000.0,) * 400, observed=(0,) * 400)
    model, data = make(document)
    assert float(logpdf(model, jnp.array([1.0]), data)) == pytest.approx(-4e5)
    assert_gradient_is_right(document, {"mu": 1.0})
    tiny = one_sample(MU, data=(1e-200,) * 3, observed=(2,) * 3)
    model, data = make(tiny)
    known = 3 * (2 * math.log(1e-200) - math.log(2))
    assert float(logpdf(model, jnp.array([1.0]), data)) == pytest.approx(known)


def test_t28_constraints_of_staterrors_are_in_the_density():
    """They were forgotten once, elsewhere."""
    document = one_sample(modifier("staterror", "g", [2.0]), observed=(10,))
    model, data = make(document)
    near, far = (
        float(logpdf(model, jnp.array([g]), Data(jnp.array([10.0 * g]), data.aux)))
        for g in (1.0, 1.4)
    )
    poisson = [n * math.log(n) - n - math.lgamma(n + 1) for n in (10.0, 14.0)]
    known = (0.4 / 0.2) ** 2 / 2
    assert (near - poisson[0]) - (far - poisson[1]) == pytest.approx(known, rel=1e-11)


# -- transformations --------------------------------------------------------------


def test_vmap_over_parameters_and_over_data():
    model, data = make(all_kinds())
    names = model.parameters.names
    vectors = jnp.stack([some_params(names, seed) for seed in range(4)])
    toys = jax.vmap(expected_data, (None, 0))(model, vectors)
    found = jax.vmap(logpdf, (None, 0, 0))(model, vectors, toys)
    for i in range(4):
        one = jax.tree.map(lambda leaf, i=i: leaf[i], toys)
        assert float(found[i]) == pytest.approx(float(logpdf(model, vectors[i], one)))
    alone = jax.vmap(logpdf, (None, 0, None))(model, vectors, data)
    assert alone.shape == (4,)


def test_vmap_over_models():
    """Signals that differ in their yields alone."""
    pairs = []
    for scale in (1, 2, 5):
        document = all_kinds()
        (signal, *_) = document["channels"][0]["samples"]
        signal["data"] = [scale * n for n in signal["data"]]
        pairs.append(make(document))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(m for m, _ in pairs))
    data = pairs[0][1]
    params = jnp.asarray(some_params(pairs[0][0].parameters.names, 7))
    found = jax.jit(jax.vmap(Model.logpdf, (0, None, None)))(stacked, params, data)
    known = [float(logpdf(model, params, data)) for model, _ in pairs]
    np.testing.assert_allclose(found, known, rtol=1e-12)


def test_derivative_in_a_signal_yield():
    """The nominal yields are leaves: differentiate in them like in any array."""
    model, data = make(one_sample(MU, data=(3.0,), observed=(5,)))
    slope = jax.jit(jax.grad(Model.logpdf, allow_int=True))
    slope = slope(model, jnp.array([2.0]), data)
    assert slope.block.nominal.tolist() == [[pytest.approx(2.0 * (5 / 6 - 1))]]


def test_second_derivatives_where_the_signal_vanishes():
    """mu = 0 and a gamma of the signal at 0: the two meet in the Hessian only."""
    signal = sample("signal", [4.0], MU, modifier("shapefactor", "f"))
    document = workspace({"SR": [signal, sample("b", [8.0])]}, observed={"SR": [5]})
    model, data = make(document)
    hessian = jax.jit(jax.hessian(Model.logpdf, 1))(model, jnp.zeros(2), data)
    known = 4.0 * (5 / 8 - 1)
    np.testing.assert_allclose(hessian, [[0, known], [known, 0]], rtol=1e-12)


# -- drawing ----------------------------------------------------------------------


@functools.cache
def toys():
    """Many data sets at parameters away from the start."""
    model, _ = make(all_kinds())
    params = jnp.asarray(some_params(model.parameters.names, 4, 0.3))
    draw = jax.jit(jax.vmap(Model.sample, (None, 0, None)))
    drawn = draw(model, jax.random.split(jax.random.key(11), 8000), params)
    return model, expected_data(model, params), drawn


def test_samples_have_the_expected_mean():
    model, expected, drawn = toys()
    width = jnp.zeros(expected.aux.size).at[model.gaussian.position]
    variance = width.set(model.gaussian.width**2)
    variance = variance.at[model.poisson.position].set(
        expected.aux[model.poisson.position]
    )
    # standard error of a mean of 8000; five of them
    error = 5 / math.sqrt(8000)
    for found, known, gather in (
        (drawn.main, expected.main, expected.main),
        (drawn.aux, expected.aux, variance),
    ):
        off = jnp.abs(found.mean(0) - known) / jnp.sqrt(gather)
        assert float(jnp.max(off)) < error
        # relative error of a variance: sqrt((2 + 1 / mean) / 8000) < 0.02 here
        np.testing.assert_allclose(found.var(0), gather, rtol=0.1)


def test_t13_samples_are_counts_where_terms_are_poisson():
    model, _, drawn = toys()
    counts = drawn.aux[:, model.poisson.position]
    assert bool(jnp.all(counts == jnp.round(counts)))
    assert bool(jnp.all(drawn.main == jnp.round(drawn.main)))
    alphas = drawn.aux[:, model.gaussian.position]
    assert not bool(jnp.any(alphas == jnp.round(alphas)))
    assert drawn.main.dtype == drawn.aux.dtype == jnp.float64


def test_equal_keys_draw_equal_data_and_others_do_not():
    model, _ = make(all_kinds())
    draw = jax.jit(Model.sample)
    params = model.parameters.init
    one, same, other = (draw(model, jax.random.key(k), params) for k in (1, 1, 2))
    assert one.main.tolist() == same.main.tolist()
    assert one.aux.tolist() == same.aux.tolist()
    assert one.aux.tolist() != other.aux.tolist()


def test_expected_data_are_those_that_the_parameters_fit_best():
    """Asimov data: the log-density has no slope at the parameters they come from."""
    model, _ = make(all_kinds())
    params = jnp.asarray(some_params(model.parameters.names, 3))
    slope = gradient(model, params, expected_data(model, params))
    np.testing.assert_allclose(slope, 0.0, atol=1e-11)


# -- shapes -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [12, 14])
def test_t23_parameters_of_another_size_are_refused(size):
    """pyhf 0.7.6 ignores surplus parameters."""
    model, data = make(all_kinds())
    params = jnp.ones(size)
    for call in (
        lambda: model.expected_rates(params),
        lambda: model.expected_data(params),
        lambda: model.logpdf(params, data),
        lambda: model.sample(jax.random.key(0), params),
    ):
        with pytest.raises(ParameterError, match=r"shape .* with 13 parameters"):
            call()


def test_t23_several_vectors_at_once_are_refused():
    """Type checks of the test session see them first; users have this."""
    model, _ = make(all_kinds())
    with pytest.raises(ParameterError, match=r"shape \(2, 13\) .* use jax.vmap"):
        model.parameters.check((2, 13))


@pytest.mark.parametrize(("main", "aux"), [(3, 10), (5, 10), (4, 9), (4, 11)])
def test_t23_data_of_another_shape_are_refused(main, aux):
    model, _ = make(all_kinds())
    data = Data(jnp.ones(main), jnp.ones(aux))
    with pytest.raises(DataError, match=rf"\({main},\) .*\({aux},\) .*\(4,\).*\(10,\)"):
        model.logpdf(model.parameters.init, data)


def test_bound_methods_can_be_compiled_as_they_are():
    document = workspace({"SR": [sample("b", [5.0], normsys("a", 0.9, 1.2))]})
    model, data = make(document)
    params = model.parameters.init
    assert jax.jit(model.logpdf)(params, data) == model.logpdf(params, data)
    assert jax.vmap(model.expected_rates)(params[None]).shape[0] == 1

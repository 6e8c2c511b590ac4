"""Best fits by name, and what is shown of them."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, DataError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.result import SHOWN, FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import hypotest
from hfjax.inference.profile import profile
from tests.workspaces import HELLO, shapesys

OBSERVED = [51.0, 48.0]


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, OBSERVED))


def test_parameters_have_their_names(hello):
    model, data = hello
    found = fit(model, data)
    own = model.parameters
    assert float(found["mu"]) == float(found.params[own.position("mu")])
    assert float(found["gamma[1]"]) == float(found.params[own.position("gamma[1]")])
    assert found["gamma"].shape == (2,)
    assert found["gamma"][1] == found["gamma[1]"]
    assert list(found.parameters) == [each.name for each in own.sets]
    packed = own.pack({name: np.asarray(v) for name, v in found.parameters.items()})
    assert packed.tolist() == found.params.tolist()


@pytest.mark.slow
def test_every_fit_has_names(hello):
    model, data = hello
    assert float(fixed_poi_fit(model, data, 0.5)["mu"]) == 0.5
    tested = hypotest(model, data, 0.5)
    values = {
        "free": float(tested.mu_hat),
        "fixed": 0.5,
        "background": 0.0,
        "asimov_free": 0.0,
        "asimov_fixed": 0.5,
    }
    assert {name: float(getattr(tested, name)["mu"]) for name in values} == values
    scan = profile(model, data, {"mu": [0.25, 0.5, 1.0]})
    assert scan.fits["mu"].tolist() == [0.25, 0.5, 1.0]
    assert scan.fits["gamma"].shape == (3, 2)
    assert float(scan.free["mu"]) == pytest.approx(float(tested.mu_hat), abs=1e-6)


@pytest.mark.slow
def test_names_go_through_jit_and_vmap(hello):
    model, data = hello
    texts = []

    @jax.jit
    @jax.vmap
    def inside(at: jax.Array) -> FitResult:
        found = fixed_poi_fit(model, data, at)
        texts.append(repr(found))
        return found

    many = inside(jnp.array([0.0, 0.5]))
    assert many["mu"].tolist() == [0.0, 0.5]
    assert many["gamma"].shape == (2, 2)
    assert "params=f64[3]" in texts[0]  # shapes are all that can be shown
    assert "params=f64[2,3]" in repr(many)


def test_a_wrong_name_is_told(hello):
    found = fit(*hello)
    with pytest.raises(UnknownNameError, match="did you mean 'gamma'"):
        found["gama"]
    with pytest.raises(UnknownNameError, match="no parameter named 'gamma"):
        found["gamma[2]"]
    model, data = hello
    without = fit(model.anonymous(), data)
    assert without.parameters == {}
    with pytest.raises(ParameterError, match="its model has no names"):
        without["mu"]


def test_a_fit_shows_its_numbers(hello):
    model, data = hello
    found = fit(model, data)
    text = repr(found).splitlines()
    assert text[0] == (
        f"FitResult: converged after {int(found.steps)} steps, "
        f"-2 ln L = {float(found.twice_nll):.10g}"
    )
    shown = dict(line.split() for line in text[1:])
    assert list(shown) == list(model.parameters.names)
    for name, value in shown.items():
        assert float(value) == pytest.approx(float(found[name]), rel=1e-5)


@pytest.mark.slow
def test_of_many_parameters_some_are_shown():
    bins = SHOWN + 5
    size = [float(i + 1) for i in range(bins)]
    many = build(shapesys(size, [50.0] * bins, [5.0] * bins, [55.0] * bins))
    text = repr(fit(*many)).splitlines()
    assert len(text) == SHOWN + 2
    assert text[-1] == "  and 6 more: `parameters` has all by name"


@pytest.mark.parametrize("given", [1.0, [51.0, 48.0], None, "model"])
def test_what_is_no_model_or_no_data_is_refused(hello, given):
    model, data = hello
    name = type(given).__name__
    with pytest.raises(ArgumentError, match=rf"model is of type {name}.*hfjax.Model"):
        check_inputs(given, data, FitSettings())
    with pytest.raises(ArgumentError, match=rf"data are of type {name}.*hfjax.Data"):
        check_inputs(model, given, FitSettings())


def test_data_of_another_shape_are_refused(hello):
    model, _ = hello
    _, other = build(shapesys([1.0], [50.0], [5.0], [55.0]))
    with pytest.raises(DataError, match=r"shape \(1,\) .* needs \(2,\) and \(2,\)"):
        check_inputs(model, other, FitSettings())


# -- records -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_status_is_read_as_a_word(hello):
    found = fit(*hello)
    assert found.status is FitStatus.CONVERGED
    assert f"{found.status} {found.status:>10}" == "converged  converged"
    assert found.status.sentence == "the fit converged"
    batch = jax.vmap(lambda start: fit(*hello, start=start))(
        jnp.stack([hello[0].parameters.init] * 2)
    )
    assert batch.status.tolist() == [0, 0]
    with pytest.raises(ArgumentError, match="is no single record"):
        batch.to_dict()


def test_a_fit_is_written_as_its_schema_says(hello, tmp_path):
    model, data = hello
    found = fit(model, data)
    found.write(tmp_path / "fit.json")
    document = json.loads((tmp_path / "fit.json").read_text())
    validate(document, "fit-result-1.0.0.json")
    assert document == found.dump()
    values = document["mle_parameters"]
    assert {n: np.size(v) for n, v in values.items()} == {
        each.name: each.size for each in model.parameters.sets
    }
    assert values["mu"] == [float(found["mu"])]
    assert document["hfjax"]["jax"] == jax.__version__
    assert document["status"] == "converged"


def test_a_fit_that_failed_is_written_with_what_happened(hello):
    found = fit(*hello, settings=FitSettings(max_steps=1))
    document = found.dump()
    validate(document, "fit-result-1.0.0.json")
    assert document["status"] == "max_steps"
    assert "allow more steps" in document["message"]


def test_a_fit_without_names_is_written_as_a_list(hello):
    model, data = hello
    document = fit(model.anonymous(), data).dump()
    validate(document, "fit-result-1.0.0.json")
    assert len(document["mle_parameters"]) == model.parameters.init.size


def test_a_notebook_shows_all_parameters(hello):
    model, data = hello
    found = fit(model, data)
    shown = found._repr_html_()
    assert shown.count("<tr>") == 1 + model.parameters.init.size
    assert f"<td>mu</td><td>{float(found['mu']):.6g}</td>" in shown
    assert "-2 ln L = " in shown


def test_the_parameter_of_interest_is_shown_first(hello):
    model, data = hello
    other = model.with_poi("gamma[1]")
    rows = repr(fit(other, data)).splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["gamma[1]", "mu", "gamma[0]"]

"""What programs have written, feature by feature: what it becomes as a workspace."""

import math

import pytest

from hfjax.documents.convert.hs3.read import HS3Settings, read_hs3
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.errors import SpecificationError
from tests.documents.convert.hs3 import documents as d
from tests.reference.histfactory import HistFactory


def read(document, **settings):
    """Read a document that loses nothing."""
    found = read_hs3(document, HS3Settings(**settings))
    assert found.report.losses == ()
    return found.workspace


def groups(document, **settings):
    """The parameters that a document becomes, by name."""
    workspace = read(document, **settings)
    return {g.name: g for g in parameter_groups(workspace, workspace.measurement(0))}


def modifiers(workspace, channel="SR"):
    """Names and types of the modifiers of a channel."""
    found = workspace.channel(channel).samples
    return [(m.name, m.type) for sample in found for m in sample.modifiers]


MU = d.modifier("normfactor", "mu", parameter="mu")


def test_names_of_root_are_taken_apart():
    stat = d.modifier("staterror", "staterror", constraint_type="Gauss")
    shape = d.modifier(
        "shapesys", "fakes", constraint_type="Poisson", data={"vals": [0.1, 0.2]}
    )
    names = ["gamma_free_bin_0", "gamma_free_bin_1"]
    free = d.modifier("shapefactor", "other", parameters=names)
    top = d.sample("top", d.normsys(), d.histosys(), stat, shape, errors=[1.0, 2.0])
    workspace = read(d.document(d.channel("SR", d.sample("s", MU, free), top)))
    assert modifiers(workspace) == [
        ("mu", "normfactor"),
        ("free", "shapefactor"),
        ("acc", "normsys"),
        ("tilt", "histosys"),
        ("staterror_SR", "staterror"),
        ("fakes", "shapesys"),
    ]
    assert workspace.channel("SR").sample("top").modifiers[3].data == (2.0, 6.0)
    assert workspace.measurement("fit").poi == "mu"
    assert workspace.version == "1.0.0"


def test_parameters_are_shared_by_their_names_and_not_by_those_of_modifiers():
    a, b, c = (d.normsys(name) for name in "abc")
    a["parameter"] = b["parameter"] = "alpha_shared"
    c["parameter"] = "c_with_another_name"
    workspace = read(d.document(d.channel("SR", d.sample("s", a), d.sample("t", b, c))))
    names = [name for name, _ in modifiers(workspace)]
    assert names == ["shared", "shared", "c_with_another_name"]


def test_normfactor_and_normsys_of_one_name_stay_two_parameters():
    channel = d.channel("SR", d.sample("s", d.normsys("mu"), MU))
    assert modifiers(read(d.document(channel))) == [
        ("alpha_mu", "normsys"),
        ("mu", "normfactor"),
    ]


def test_modifiers_without_parameters_have_those_that_root_gives_them():
    factor, norm = d.modifier("normfactor", "mu"), d.normsys()
    del norm["parameter"]
    bounds = {"mu": [-1, 4], "alpha_acc": [-3, 3]}
    document = d.document(d.channel("SR", d.sample("s", factor, norm)), bounds=bounds)
    found = groups(document)
    assert found["mu"].bounds == ((-1.0, 4.0),)
    assert found["acc"].bounds == ((-3.0, 3.0),)


def test_lists_of_one_parameter_and_one_constraint_are_read():
    norm = d.normsys(constraints=["accConstraint"])
    norm["parameters"] = [norm.pop("parameter")]
    other = d.gaussian("accConstraint", "alpha_acc", "nom", 1.0)
    channel = d.channel("SR", d.sample("s", norm))
    document = d.document(channel, others=(other,), values={"nom": [0.5]})
    assert groups(document)["acc"].auxdata == (0.5,)


@pytest.mark.parametrize("key", ["constraint", "constraint_name"])
@pytest.mark.parametrize("swapped", [False, True])
def test_constraint_is_a_distribution_under_its_old_and_new_name(key, swapped):
    ends = ("alpha_acc", "nom_alpha_acc")
    other = d.gaussian("c", *(reversed(ends) if swapped else ends), "width")
    norm = d.normsys(**{key: "c"})
    values = {"nom_alpha_acc": [0.25], "width": [2.0], "alpha_acc": 0.5}
    channel = d.channel("SR", d.sample("s", norm))
    found = groups(d.document(channel, others=(other,), values=values))["acc"]
    assert (found.auxdata, found.widths, found.inits) == ((0.25,), (2.0,), (0.5,))


@pytest.mark.parametrize("key", ["constraint", "constraint_type"])
def test_constraint_is_a_kind_under_its_old_and_new_name(key):
    channel = d.channel("SR", d.sample("s", d.normsys(**{key: "Gauss"})))
    found = groups(d.document(channel))["acc"]
    assert (found.constraint, found.widths) == ("normal", (1.0,))


def test_constraint_with_a_unit_gaussian_needs_no_settings():
    other = d.gaussian("c", "alpha_acc", 0.0, 1.0)
    channel = d.channel("SR", d.sample("s", d.normsys(constraint="c")))
    workspace = read(d.document(channel, others=(other,)))
    assert workspace.measurement(0).parameters == ()


def lumi(**more):
    """A channel with ROOT's luminosity."""
    return d.channel("SR", d.sample("s", d.modifier("normfactor", "Lumi", **more)))


def test_t25_luminosity_is_a_constrained_normfactor():
    other = d.gaussian("lumiConstraint", "Lumi", "nominalLumi", 0.02)
    values = {"Lumi": [1.0], "nominalLumi": [1.01]}
    document = d.document(
        lumi(constraint_name="lumiConstraint"),
        others=(other,),
        values=values,
        bounds={"Lumi": [0.5, 1.5]},
    )
    assert modifiers(read(document)) == [("lumi", "lumi")]
    found = groups(document)["lumi"]
    assert (found.auxdata, found.widths, found.fixed) == ((1.01,), (0.02,), (True,))


def test_luminosity_constrained_beside_the_channels():
    other = d.gaussian("lumiConstraint", "Lumi", 1.0, 0.02)
    document = d.document(lumi(), others=(other,))
    document["likelihoods"][0]["aux_distributions"] = ["lumiConstraint"]
    found = groups(document)["lumi"]
    assert found.widths == (0.02,)
    assert found.bounds == ((pytest.approx(0.9), pytest.approx(1.1)),)


def test_luminosity_without_constraint_is_a_normfactor():
    document = d.document(lumi(), values={"Lumi": [1.0]})
    assert modifiers(read(document)) == [("Lumi", "normfactor")]
    assert groups(document)["Lumi"].fixed == (True,)


def stat(errors=(1.0, 2.0), values=None, **more):
    """A document with ROOT's staterror in both samples."""
    channel_wide = {k: more.pop(k) for k in ("staterror", "statError") if k in more}
    found = d.modifier("staterror", "staterror", **more)
    samples = [d.sample(name, found, errors=list(errors)) for name in "st"]
    return d.document(d.channel("SR", *samples, **channel_wide), values=values)


@pytest.mark.parametrize(
    "said",
    [
        {"constraint": "Poisson"},
        {"constraint_type": "Poisson"},
        {"staterror": {"constraint": "Poisson", "relThreshold": 0.0}},
        {"staterror": {"constraint_type": "Poisson"}},
        {"statError": {"constraint": "Poisson"}},
        {},
    ],
)
def test_t12_t28_staterror_is_poisson_where_it_is_said_and_where_nothing_is(said):
    document = stat(**said)
    found = groups(document)["staterror_SR"]
    tau = [40.0**2 / 2.0, 60.0**2 / 8.0]
    assert found.constraint == "poisson"
    assert found.widths == pytest.approx(tau)
    assert read(document).version == "1.0.0+hfjax.1"


@pytest.mark.parametrize(
    "said", [{"constraint": "Gauss"}, {"staterror": {"constraint_type": "Gauss"}}]
)
def test_staterror_is_gaussian_where_it_is_said(said):
    document = stat(**said)
    found = groups(document)["staterror_SR"]
    assert found.widths == pytest.approx([2**0.5 / 40, 8**0.5 / 60])
    assert read(document).version == "1.0.0"


def test_poisson_staterror_has_the_density_that_root_writes_down():
    workspace = read(stat(constraint="Poisson"))
    gammas, taus = [1.1, 0.8], [800.0, 450.0]
    rates = [1.1 * 40.0, 0.8 * 60.0]
    terms = [
        n * math.log(nu) - nu - math.lgamma(n + 1)
        for n, nu in [(21, rates[0]), (28, rates[1])]
        + [(tau, gamma * tau) for gamma, tau in zip(gammas, taus, strict=True)]
    ]
    found = HistFactory(workspace.dump()).logpdf(gammas)
    assert found == pytest.approx(math.fsum(terms), rel=1e-12)


def test_threshold_of_a_staterror():
    said = {"constraint_type": "Gauss", "relThreshold": 0.04}
    found = groups(stat(staterror=said))["staterror_SR"]
    assert found.fixed == (True, False)
    assert read(stat(staterror=said)).measurement(0).parameters[0].threshold == 0.04


def test_threshold_that_only_constants_tell():
    values = {"gamma_stat_SR_bin_0": [1.0], "gamma_stat_SR_bin_1": 1.0}
    found = groups(stat(values=values, constraint="Gauss"))["staterror_SR"]
    assert found.fixed == (True, False)


def test_staterrors_of_channels_that_root_gives_one_name_are_two():
    one = d.modifier("staterror", "staterror", constraint="Gauss")
    channels = [
        d.channel(name, d.sample("s", one, errors=[1, 1])) for name in ("SR", "CR")
    ]
    assert set(groups(d.document(*channels))) == {"staterror_SR", "staterror_CR"}


def test_staterror_with_other_names_of_parameters():
    found = groups(stat(constraint="Gauss", parameters=["left", "right"]))
    assert found["staterror_SR"].size == 2


def test_staterror_with_its_terms_as_distributions():
    names = [f"gamma_stat_SR_bin_{i}" for i in range(2)]
    terms = tuple(d.gaussian(f"c{i}", "one", names[i], 0.1 * (i + 1)) for i in range(2))
    one = d.modifier("staterror", "mcstat", parameters=names, constraints=["c0", "c1"])
    channel = d.channel("SR", d.sample("s", one, errors=[1.0, 3.0]))
    found = groups(d.document(channel, others=terms, values={"one": [1.0]}))
    assert found["staterror_SR"].widths == (0.1, 0.2)


LITE = "barlow_beeston_lite_poisson_constraint_dist"
STATS = [f"gamma_stat_SR_bin_{i}" for i in range(2)]


def lite(expected=(900.0, 400.0), x=STATS):
    """The Poisson terms of all bins as one distribution."""
    return {"name": "lite", "type": LITE, "x": list(x), "expected": list(expected)}


def beside(document, *distributions):
    """The document with distributions that its likelihood has beside its channels."""
    document["distributions"] += distributions
    names = [each["name"] for each in distributions]
    document["likelihoods"][0]["aux_distributions"] = names
    return document


@pytest.mark.parametrize("said", [{}, {"constraint": "Poisson"}])
def test_poisson_terms_of_a_channel_can_be_one_distribution(said):
    found = groups(beside(stat(**said), lite()))["staterror_SR"]
    assert found.constraint == "poisson"
    assert found.widths == found.auxdata == (900.0, 400.0)


def test_one_distribution_has_the_density_of_its_terms():
    workspace = read(beside(stat(), lite()))
    gammas, taus = [1.1, 0.8], [900.0, 400.0]
    pairs = [(21, 1.1 * 40.0), (28, 0.8 * 60.0)]
    pairs += [(tau, gamma * tau) for gamma, tau in zip(gammas, taus, strict=True)]
    terms = [n * math.log(nu) - nu - math.lgamma(n + 1) for n, nu in pairs]
    found = HistFactory(workspace.dump()).logpdf(gammas)
    assert found == pytest.approx(math.fsum(terms), rel=1e-12)


def test_modifiers_name_the_one_distribution_of_a_channel():
    for said in ({"constraint_name": "lite"}, {"constraints": ["lite", "lite"]}):
        document = stat(values={"tau": [900.0]}, **said)
        document["distributions"].append(lite(expected=["tau", 400.0]))
        assert groups(document)["staterror_SR"].widths == (900.0, 400.0)


def test_a_shapesys_can_have_the_one_distribution_as_well():
    document = shapesys(parameters=GAMMAS, data={"vals": [0.1, 0.0]})
    found = groups(beside(document, lite((100.0, 0.0), GAMMAS)))["fakes"]
    assert (found.widths, found.fixed) == ((100.0, 1.0), (False, True))
    alone = shapesys(parameters=GAMMAS, data={"vals": []})
    found = groups(beside(alone, lite((100.0, 0.0), GAMMAS)))["fakes"]
    assert (found.widths, found.fixed) == ((100.0, 1.0), (False, True))


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (lite(expected=[1.0]), "has 2 in x and 1 in expected"),
        (lite(x=["other", "more"]), "should constrain one parameter of a channel"),
        (lite(x=[STATS[0], STATS[0]]), "which is not what it is about"),
        (lite(expected=["tau", 1.0]), "needs a value of 'tau'"),
    ],
)
def test_one_distribution_that_says_nothing_is_refused(one, message):
    with pytest.raises(SpecificationError) as error:
        read(beside(stat(), one))
    assert message in str(error.value)


def shapesys(bounds=None, others=(), values=None, functions=(), **more):
    """A document with a shapesys on 20 and 30 events."""
    one = d.modifier("shapesys", "fakes", **more)
    channel = d.channel("SR", d.sample("s", one))
    document = d.document(channel, others=others, values=values, bounds=bounds)
    return {**document, "functions": list(functions)}


GAMMAS = [f"gamma_fakes_bin_{i}" for i in range(2)]


def test_vals_of_a_shapesys_are_relative_as_in_root():
    found = groups(shapesys(constraint="Poisson", data={"vals": [0.1, 0.0]}))["fakes"]
    assert (found.widths, found.fixed) == ((pytest.approx(100), 1.0), (False, True))


def test_vals_of_a_shapesys_are_absolute_if_the_caller_says_so():
    document = shapesys(constraint="Poisson", data={"vals": [2.0, 3.0]})
    found = groups(document, shapesys=ShapeSysValues.ABSOLUTE)["fakes"]
    assert found.widths == (100.0, 100.0)


@pytest.mark.parametrize(
    ("vals", "sigmas"), [([2.0, 4.5], [0.1, 0.15]), ([0.1, 0.15], [0.1, 0.15])]
)
def test_bounds_of_root_tell_what_vals_are(vals, sigmas):
    bounds = {GAMMAS[i]: [0.0, 1 + 5 * sigmas[i]] for i in range(2)}
    document = shapesys(bounds, constraint="Poisson", data={"vals": vals})
    assert groups(document)["fakes"].widths == pytest.approx([100, 0.15**-2])


def test_gaussian_shapesys_needs_the_extended_format():
    document = shapesys(constraint_type="Gauss", data={"vals": [0.1, 0.2]})
    found = groups(document)["fakes"]
    assert (found.constraint, found.widths) == ("normal", pytest.approx((0.1, 0.2)))


def test_shapesys_by_distributions_alone():
    mean = {"name": "mean", "type": "product", "factors": [GAMMAS[0], "tau"]}
    poisson = {"name": "c", "type": "poisson_dist", "x": "nom", "mean": "mean"}
    document = shapesys(
        others=(poisson,),
        values={"tau": [25.0], "nom": [24.0]},
        functions=[mean],
        parameters=GAMMAS,
        constraints=["c", None],
    )
    found = groups(document)["fakes"]
    assert (found.auxdata, found.widths) == ((24.0, 1.0), (25.0, 1.0))
    assert found.fixed == (False, True)


@pytest.mark.parametrize(
    "said",
    [
        {"parameters": GAMMAS},
        {"parameters": GAMMAS, "data": {"vals": [0.0, 0.0]}},
        {"parameters": GAMMAS, "constraints": [None, None]},
        {"parameters": GAMMAS, "data": {"vals": []}},
        {"parameters": GAMMAS, "data": {"vals": [], "uncertainties": []}},
    ],
)
def test_shapesys_that_nothing_constrains_is_a_shapefactor(said):
    document = shapesys(**said)
    assert modifiers(read(document)) == [("fakes", "shapefactor")]
    assert groups(document)["fakes"].fixed == (False, False)


def test_shapesys_of_kind_const_is_a_fixed_shapefactor():
    document = shapesys(constraint="Const", data={"vals": [0, 0]}, parameters=GAMMAS)
    assert groups(document)["fakes"].fixed == (True, True)


def test_uniform_constraint_is_none():
    uniform = {"name": "c", "type": "uniform_dist", "x": ["alpha_acc"]}
    channel = d.channel("SR", d.sample("s", d.normsys(constraint_name="c")))
    assert groups(d.document(channel, others=(uniform,)))["acc"].constraint == ""


@pytest.mark.parametrize(
    "said",
    [
        {"interpolation": 4},
        {"interpolation": {"type": "mult", "in": "poly6", "out": "exp"}},
        {"interpolation": "code4"},
    ],
)
def test_t16_interpolation_codes_that_are_ours(said):
    default = {"type": "add", "in": "poly6", "out": "poly1"}
    channel = d.channel("SR", d.sample("s", d.normsys(**said), d.histosys()))
    channel["default_interpolation"] = default
    assert len(modifiers(read(d.document(channel)))) == 2


def test_likelihood_of_observed_data_is_taken_and_the_others_are_losses():
    document = d.document(d.channel("SR", d.sample("s", MU)))
    asimov = {**document["data"][0], "name": "asimovData_SR", "contents": [20, 30]}
    document["data"].insert(0, asimov)
    other = {**document["likelihoods"][0], "name": "a", "data": ["asimovData_SR"]}
    document["likelihoods"].append(other)
    analysis = {**document["analyses"][0], "name": "asimov", "likelihood": "a"}
    document["analyses"].insert(0, analysis)
    found = read_hs3(document)
    assert found.workspace.observation("SR").data == (21, 28)
    assert len(found.workspace.observations) == 1
    assert [remark.kind for remark in found.report.losses] == ["analysis"]
    chosen = read_hs3(document, HS3Settings(analysis="asimov")).workspace
    assert chosen.observation("SR").data == (20, 30)
    assert chosen.measurement_names == ("asimov",)


def test_analyses_of_one_likelihood_become_measurements():
    document = d.document(d.channel("SR", d.sample("s", MU)), bounds={"mu": [0, 5]})
    document["domains"].append(d.domain("wide", {"mu": [-9, 9]}))
    document["parameter_points"].append(d.point("two", {"mu": 2.0}))
    more = {"name": "other", "domains": ["wide"], "init": "two"}
    document["analyses"].append({**document["analyses"][0], **more})
    first, second = read(document).measurements
    assert first.dump()["config"]["parameters"] == [{"name": "mu", "bounds": [[0, 5]]}]
    assert second.parameter("mu").bounds == ((-9, 9),)
    assert second.parameter("mu").inits == (2.0,)


def test_document_without_analyses_domains_and_points():
    document = d.document(d.channel("SR", d.sample("s", MU)))
    for key in ("analyses", "domains", "parameter_points"):
        del document[key]
    (measurement,) = read(document).measurements
    assert (measurement.name, measurement.poi) == ("simPdf_obsData", "")


def test_second_parameter_of_interest_and_prior_and_authors_are_losses():
    document = d.document(d.channel("SR", d.sample("s", MU)))
    document["analyses"][0] |= {"parameters_of_interest": ["mu", "k"], "prior": "p"}
    document["metadata"]["authors"] = ["A. Author"]
    losses = read_hs3(document).report.losses
    assert {(found.kind, found.place) for found in losses} == {
        ("poi", "/analyses/0"),
        ("prior", "/analyses/0/prior"),
        ("metadata", "/metadata/authors"),
    }


@pytest.mark.parametrize(
    ("axis", "edges"),
    [
        ({"edges": [0, 50, 200]}, (0, 50, 200)),
        ({"bounds": [0, 50, 200]}, (0, 50, 200)),
        ({"min": 0.0, "max": 100.0, "nbins": 2}, (0.0, 50.0, 100.0)),
        ({"min": 0.0, "max": 2.0, "nbins": 2}, None),
        ({}, None),
    ],
)
def test_edges_of_bins_are_in_the_report(axis, edges):
    channel = d.channel("SR", d.sample("s", MU), axes=[{"name": "m", **axis}])
    report = read_hs3(d.document(channel)).report
    assert report.binning.get("SR") == edges


def test_bins_of_two_axes_follow_one_another():
    axes = [
        {"name": n, "min": 0, "max": 1, "nbins": k} for n, k in (("x", 1), ("y", 2))
    ]
    channel = d.channel("SR", d.sample("s", MU), axes=axes)
    assert read(d.document(channel)).channel("SR").bins == 2


def test_infinite_bounds_are_those_that_are_left_out():
    document = d.document(d.channel("SR", d.sample("s", MU)), bounds={"mu": [0, 1]})
    del document["domains"][0]["axes"][0]["max"]
    assert groups(document)["mu"].bounds == ((0.0, math.inf),)

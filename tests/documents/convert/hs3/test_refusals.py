"""What an HS3 document may have and hfjax does not read: refused by name and place."""

import contextlib
import copy

import pytest
from hypothesis import given, settings, strategies as st

from hfjax.documents.convert.hs3.document import parse_document
from hfjax.documents.convert.hs3.read import HS3Settings, read_hs3
from hfjax.documents.convert.hs3.write import write_hs3
from hfjax.documents.reading.json_values import Malformed
from hfjax.documents.reading.schema import HS3, validate
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import HfjaxError, ModelError, SpecificationError, UnknownNameError
from tests import mutations
from tests.documents.convert.hs3 import documents as d, workspaces
from tests.workspaces import two_bins

MU = d.modifier("normfactor", "mu")
MODIFIER = "/distributions/0/samples/0/modifiers/0"


def one(modifier, *others, errors=None, **more):
    """A document with a single modifier."""
    data = {} if errors is None else {"errors": errors}
    channel = d.channel("SR", d.sample("top", modifier, **data))
    return d.document(channel, others=others, **more)


def changed(change):
    """A document with a normfactor, of which something is changed."""
    document = one(MU)
    change(document)
    return document


def put(*way, value):
    """Return a function that puts a value into a document."""

    def change(document):
        for key in way[:-1]:
            document = document[key]
        document[way[-1]] = value

    return changed(change)


def interpolated(kind, code):
    """A document with a modifier that is interpolated in some way."""
    return one((d.normsys if kind == "normsys" else d.histosys)(interpolation=code))


STAT = d.modifier("staterror", "stat", constraint="Gauss")
FAKES = ["gamma_fakes_bin_0", "gamma_fakes_bin_1"]


def shape(**more):
    """A shapesys."""
    return d.modifier("shapesys", "fakes", **{"constraint": "Poisson", **more})


def two_channels(first, second):
    """A document with a modifier in each of two channels."""
    channels = [
        d.channel(name, d.sample("top", modifier, errors=[1, 1]))
        for name, modifier in (("SR", first), ("CR", second))
    ]
    return d.document(*channels)


LOOP = [{"name": "f", "type": "product", "factors": ["f", "alpha_acc"]}]
QUADRATIC = [{"name": "f", "type": "product", "factors": ["alpha_acc", "alpha_acc"]}]
GENERIC = [{"name": "f", "type": "generic_function", "expression": "sin(alpha_acc)"}]
POISSON = {"name": "c", "type": "poisson_dist", "x": 4.0, "mean": "f"}
LOGNORMAL = {"name": "c", "type": "lognormal_dist", "x": 1.0, "mu": "f", "sigma": 0.1}
NAMED = d.normsys(constraint="c")

REFUSED = {
    "another version": (
        put("metadata", "hs3_version", value="1.0"),
        "/metadata/hs3_version",
        "HS3 version '1.0' is not known",
    ),
    "another distribution": (
        put("distributions", 0, "type", value="mixture_dist"),
        "/distributions/0",
        "is a 'mixture_dist', and hfjax reads only likelihoods whose distributions",
    ),
    "distribution that is not there": (
        put("likelihoods", 0, "distributions", 0, value="model_SRA"),
        "/likelihoods/0/distributions/0",
        "no distribution named 'model_SRA' .* did you mean 'model_SR'",
    ),
    "data that are not there": (
        put("likelihoods", 0, "data", 0, value="obsData_CR"),
        "/likelihoods/0/data",
        "no data named 'obsData_CR'",
    ),
    "likelihood that is not there": (
        put("analyses", 0, "likelihood", value="sim"),
        "/analyses/0/likelihood",
        "no likelihood named 'sim'",
    ),
    "domain that is not there": (
        put("analyses", 0, "domains", value=["nowhere"]),
        "/analyses/0/domains/0",
        "no domain named 'nowhere'",
    ),
    "point that is not there": (
        put("analyses", 0, "init", value="nowhere"),
        "/analyses/0/init",
        "no parameter point named 'nowhere'",
    ),
    "no likelihood": (
        changed(lambda x: (x.pop("likelihoods"), x.pop("analyses"))),
        "/likelihoods",
        "there is no likelihood",
    ),
    "no distributions": (
        changed(lambda x: x["likelihoods"][0].update(distributions=[], data=[])),
        "/likelihoods/0",
        "has no distributions",
    ),
    "other number of data": (
        put("likelihoods", 0, "data", value=[]),
        "/likelihoods/0",
        "has 1 distributions and 0 data",
    ),
    "same name twice": (
        changed(lambda x: x["data"].append(x["data"][0])),
        "/data/1",
        "data has the name 'obsData_SR' twice",
    ),
    "unbinned data": (
        put("data", 0, "type", value="unbinned"),
        "/data/0",
        "are of type 'unbinned', and hfjax reads only binned data",
    ),
    "data with an uncertainty": (
        put("data", 0, "uncertainty", value={}),
        "/data/0",
        "are binned with an uncertainty",
    ),
    "data of other axes": (
        put("data", 0, "axes", 0, "name", value="mass"),
        "/data/0/axes",
        r"have the axes \['mass'\], and channel 'SR' has \['obs_x_SR'\]",
    ),
    "axes of other bins": (
        put("distributions", 0, "axes", 0, "nbins", value=3),
        "/distributions/0/axes",
        "the axes of channel 'SR' have 3 bins, and its first sample has 2",
    ),
    "data of other bins": (
        put("data", 0, "contents", value=[1]),
        "/data/0/contents",
        "the data of channel 'SR' have 1 bins, and its first sample has 2",
    ),
    "full Barlow-Beeston": (
        put("distributions", 0, "barlow_beeston_method", value="full"),
        "/distributions/0",
        "barlow_beeston_method 'full'",
    ),
    "custom modifier": (
        one(d.modifier("custom", "f")),
        MODIFIER,
        "custom 'f' of sample 'top' of channel 'SR' is of a type .* not read",
    ),
    "normsys of code 1": (
        interpolated("normsys", 1),
        MODIFIER,
        "normsys 'acc' of sample 'top' of channel 'SR' is interpolated by 1",
    ),
    "histosys of code 2": (
        interpolated("histosys", 2),
        MODIFIER,
        "histosys 'tilt' of sample 'top' of channel 'SR' is interpolated by 2",
    ),
    "histosys of another polynomial": (
        interpolated("histosys", {"type": "add", "in": "poly2", "out": "poly1"}),
        MODIFIER,
        "interpolated by .*poly2.* reads only code4p",
    ),
    "normsys of the channel's code": (
        changed(
            lambda x: x["distributions"][0].update(
                default_interpolation={"type": "mult", "in": "exp", "out": None},
                samples=[d.sample("top", d.normsys())],
            )
        ),
        MODIFIER,
        "interpolated by .*'exp'.* reads only code4",
    ),
    "code in the data": (
        one(
            d.histosys() | {"data": {**d.histosys()["data"], "interpolation": "code0"}}
        ),
        MODIFIER,
        "interpolated by 'code0'",
    ),
    "constraint that is not there": (
        one(d.normsys(constraint="c")),
        MODIFIER,
        "has the constraint 'c', which is no distribution .* none of the kinds",
    ),
    "constraint of another type": (
        one(NAMED, {"name": "c", "type": "exponential_dist"}),
        "/distributions/1",
        "constraint 'c' of parameter 'alpha_acc' is a 'exponential_dist'",
    ),
    "constraint of something else": (
        one(NAMED, d.gaussian("c", "x", "y", 1.0)),
        "/distributions/1",
        r"named as the constraint of 'alpha_acc', which .* \['x', 'y'\]",
    ),
    "constraint at a value that is not there": (
        one(NAMED, d.gaussian("c", "alpha_acc", "nom", 1.0)),
        "/distributions/1",
        "needs a value of 'nom', and no parameter point",
    ),
    "constraint without a width": (
        one(d.normsys(constraint="Poisson")),
        "/analyses/0",
        "'alpha_acc' has a poisson constraint and no distribution that says how wide",
    ),
    "Gaussian of no width": (
        one(NAMED, d.gaussian("c", "alpha_acc", 0.0, 0.0)),
        "/analyses/0",
        r"sigmas \[0.0\] of parameter 'acc' must be positive",
    ),
    "two constraints": (
        two_channels(NAMED, d.normsys(constraint="Gauss")),
        "/distributions/0/samples/0/modifiers/0",
        "has the constraint 'c'",
    ),
    "function of itself": (
        one(NAMED, POISSON, functions=LOOP),
        "/functions/0",
        "function 'f' of type 'product', which constraint 'c' of 'alpha_acc' needs",
    ),
    "function that is not affine": (
        one(NAMED, POISSON, functions=QUADRATIC),
        "/functions/0",
        "is not one that hfjax reads: a product or sum",
    ),
    "function by an expression": (
        one(NAMED, POISSON, functions=GENERIC),
        "/functions/0",
        "function 'f' of type 'generic_function'",
    ),
    "log-normal of an expression": (
        one(NAMED, LOGNORMAL, functions=GENERIC),
        "/functions/0",
        "function 'f' of type 'generic_function'",
    ),
    "log-normal of a number": (
        one(NAMED, {**LOGNORMAL, "mu": 0.0}),
        "/distributions/1",
        "named as the constraint of 'alpha_acc'",
    ),
    "constrained normfactor": (
        one({**MU, "constraint": "Gauss"}),
        MODIFIER,
        "normfactor 'mu' .* only one factor that may, the luminosity",
    ),
    "constraint once more beside the channels": (
        one(
            d.normsys(),
            d.gaussian("c", "alpha_acc", 0.0, 1.0),
            likelihoods=[
                {
                    "name": "simPdf_obsData",
                    "distributions": ["model_SR"],
                    "data": ["obsData_SR"],
                    "aux_distributions": ["c"],
                }
            ],
        ),
        "/distributions/1",
        "'alpha_acc' is constrained by its modifiers, .* and once more by 'c'",
    ),
    "staterror without errors": (
        one(STAT),
        "/distributions/0/samples/0",
        "staterror 'stat' .* needs the errors of its sample",
    ),
    "staterror with errors of other bins": (
        one(STAT, errors=[1.0]),
        MODIFIER,
        "has 1 numbers for 2 bins",
    ),
    "staterrors of one channel that are two": (
        d.document(
            d.channel(
                "SR",
                d.sample("s", {**STAT, "parameters": ["a", "b"]}, errors=[1, 1]),
                d.sample("t", {**STAT, "parameters": ["c", "d"]}, errors=[1, 1]),
            )
        ),
        "/distributions/0/samples/1/modifiers/0",
        "has other parameters than the one at /distributions/0/samples/0",
    ),
    "parameters of bins that two channels share": (
        two_channels(
            {**STAT, "parameters": ["a", "b"]}, {**STAT, "parameters": ["a", "b"]}
        ),
        "/distributions/1/samples/0/modifiers/0",
        "shares the parameter 'a' with bins or modifiers",
    ),
    "too few parameters": (
        one({**STAT, "parameters": ["a"]}, errors=[1, 1]),
        MODIFIER,
        "has 1 parameters for 2 bins",
    ),
    "too few constraints": (
        one(shape(constraints=["c"])),
        MODIFIER,
        "has 1 constraints and 2 parameters",
    ),
    "normsys with two parameters": (
        one({**d.modifier("normsys", "n"), "parameters": ["a", "b"], "data": {}}),
        MODIFIER,
        r"has the parameters \['a', 'b'\]: it needs a single one",
    ),
    "vals that may be either": (
        one(shape(data={"vals": [3.0, 4.0]})),
        f"{MODIFIER}/data/vals",
        "vals of 4, which ROOT takes for an uncertainty of 400%",
    ),
    "vals and nothing that constrains": (
        one(shape(constraint=None, data={"vals": [0.1, 0.2]})),
        MODIFIER,
        "has vals and nothing that constrains",
    ),
    "constraint and no vals": (
        one(shape()),
        MODIFIER,
        "has no vals, nor distributions that constrain it",
    ),
    "vals of other bins": (
        one(shape(data={"vals": [0.1]})),
        f"{MODIFIER}/data/vals",
        "has 1 numbers for 2 bins",
    ),
    "vals and uncertainties that differ": (
        one(shape(data={"vals": [0.1, 0.1], "uncertainties": [2.0, 4.0]})),
        f"{MODIFIER}/data",
        r"has the vals \[0.1, 0.1\], and its uncertainties make them",
    ),
    "shape of other bins": (
        one(d.histosys() | {"data": {k: {"contents": [1]} for k in ("lo", "hi")}}),
        f"{MODIFIER}/data/lo/contents",
        "has 1 numbers for 2 bins",
    ),
    "only some constant": (
        one(
            shape(data={"vals": [0.1, 0.2]}),
            values={FAKES[0]: [1.0], FAKES[1]: 1.0},
        ),
        "/analyses/0",
        r"of shapesys 'fakes', \['gamma_fakes_bin_1'\] are free and the others",
    ),
    "samples of one name": (
        d.document(d.channel("SR", d.sample("s"), d.sample("s"))),
        "/distributions/0/samples/1",
        "channel 'SR': sample 's' is there twice",
    ),
    "modifiers of one name": (
        one(MU) | {"distributions": [d.channel("SR", d.sample("s", MU, MU))]},
        "/distributions/0/samples/0/modifiers/1",
        "modifier 'mu' 'normfactor' is there twice",
    ),
    "not an object": ([], "", "is not of type 'object'"),
    "no metadata": (
        changed(lambda x: x.pop("metadata")),
        "",
        "'metadata' is a required",
    ),
    "contents that are text": (
        put("data", 0, "contents", value=["many"]),
        "/data/0/contents/0",
        "'many' is not of type 'number'",
    ),
    "normsys without data": (
        one(d.modifier("normsys", "acc")),
        MODIFIER,
        "'data' is a required property",
    ),
    "settings of ours that are none": (
        one(MU)
        | {"misc": {"hfjax": {"settings": {"fit": [{"name": "mu", "init": 1}]}}}},
        "/misc/hfjax/settings/fit/0",
        "'init' was unexpected",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name_and_place(what):
    document, pointer, words = REFUSED[what]
    with pytest.raises(SpecificationError, match=words) as caught:
        read_hs3(document)
    assert caught.value.pointer == pointer


def test_analysis_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match="no analysis named 'fti'"):
        read_hs3(one(MU), HS3Settings(analysis="fti"))


def test_unclear_which_data_are_meant():
    document = one(MU)
    document["data"].append({**document["data"][0], "name": "obsData_again"})
    likelihood = document["likelihoods"][0]
    document["likelihoods"].append(
        {**likelihood, "name": "b", "data": ["obsData_again"]}
    )
    analysis = document["analyses"][0]
    document["analyses"].append({**analysis, "name": "again", "likelihood": "b"})
    words = r"analyses \['fit', 'again'\] have different data .* name the analysis"
    with pytest.raises(SpecificationError, match=words):
        read_hs3(document)
    assert read_hs3(document, HS3Settings(analysis="again")).workspace


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda x: x["channels"][0]["samples"][0]["modifiers"].append(
                {"name": "second", "type": "staterror", "data": [1, 1, 1]}
            ),
            "has the staterrors",
        ),
        (
            lambda x: x["channels"][0]["samples"][0]["modifiers"].append(
                {"name": "alpha_tilt", "type": "normfactor", "data": None}
            ),
            "parameter '.*tilt' and parameter '.*tilt' would both have 'alpha_tilt'",
        ),
        (
            lambda x: x["channels"][0]["samples"][0]["modifiers"].append(
                {"name": "nom_alpha_tilt", "type": "normfactor", "data": None}
            ),
            "parameter 'nom_alpha_tilt' and a constraint term would both have",
        ),
        (
            lambda x: x["measurements"][0]["config"].update(poi="alpha_tilt"),
            "parameter 'tilt' and parameter of interest 'alpha_tilt' would both",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(change, words):
    document = workspaces.example()
    change(document)
    with pytest.raises(ModelError, match=words):
        write_hs3(Workspace.parse(document))


@pytest.mark.parametrize(
    ("settings", "what"),
    [({"constraint": "lognormal"}, "kinds"), ({"threshold": 0.1}, "thresholds")],
)
def test_what_hs3_has_once_for_all_analyses_must_not_differ(settings, what):
    document = workspaces.example() | {"version": "1.0.0+hfjax.1"}
    parameters = document["measurements"][1]["config"]["parameters"]
    parameters.append({"name": "stat_SR", **settings})
    with pytest.raises(ModelError, match=f"'stat_SR' different {what}"):
        write_hs3(Workspace.parse(document))


def test_edges_that_do_not_fit_are_refused():
    workspace = Workspace.parse(two_bins())
    with pytest.raises(SpecificationError, match="has 2 bins and 2 edges"):
        write_hs3(workspace, binning={"singlechannel": (0, 1)})


VALID = write_hs3(Workspace.parse(workspaces.example()))
JUNK = st.sampled_from(
    [
        *(None, True, 0, -1.5, 10**400, float("nan"), "", "x", "mu", "alpha_tilt"),
        *("Gauss", "Const", "histfactory_dist", "poisson_dist", "Lumi"),
        *([], {}, [1], ["x"], [None], {"name": "x"}, {"type": "product"}),
    ]
)


def test_what_is_written_is_valid():
    validate(VALID, HS3)


@pytest.mark.parametrize("huge", [1e200, 10**200, 1e308])
def test_huge_numbers_raise_nothing_but_our_error(huge):
    data = {"vals": [1 / huge, huge], "uncertainties": [1, huge * 0.5]}
    for modifier in (shape(data=data), STAT, d.normsys()):
        document = one(modifier, errors=[huge, 1])
        document["distributions"][0]["samples"][0]["data"]["contents"] = [huge, 0.5]
        with contextlib.suppress(HfjaxError):
            write_hs3(read_hs3(document).workspace)


@st.composite
def mutated(draw):
    """A document in which a few values are replaced or removed."""
    document = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 3))):
        places = list(mutations.places(document))
        parent, key = places[draw(st.integers(0, len(places) - 1))]
        if draw(st.booleans()):
            parent[key] = copy.deepcopy(draw(JUNK))
        else:
            del parent[key]
    return document


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(mutated())
def test_wrong_document_raises_nothing_but_our_error(document):
    with contextlib.suppress(HfjaxError):
        read_hs3(document)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_what_is_malformed_is_refused_by_the_schema(document):
    """Tell that the words of an error are always the schema's."""
    try:
        parse_document(document)
    except Malformed:
        with pytest.raises(SpecificationError):
            validate(document, HS3)
    except SpecificationError:
        pass

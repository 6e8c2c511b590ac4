"""What is no argument of a public function is refused, in words."""

import re
from types import SimpleNamespace

import jaxtyping
import pytest

import hfjax
from hfjax.errors import (
    ArgumentError,
    DataError,
    SpecificationError,
    UnknownNameError,
)


@pytest.fixture(scope="module")
def hello():
    search = hfjax.uncorrelated_background([12.0], [50.0], [3.0], [62])
    model, data = hfjax.build(search)
    return SimpleNamespace(search=search, model=model, data=data)


sample, normfactor = hfjax.sample, hfjax.normfactor
SIGNAL = sample("s", [1.0], normfactor("mu"))
TWO = [SIGNAL, sample("b", [1.0])]
REGION = hfjax.channel("SR", *TWO)

WRONG = {
    "the order of pyhf": (
        lambda h: hfjax.hypotest(1.0, h.data, h.model),
        ArgumentError,
        "model is of type float, and has to be a hfjax.Model: the model comes first",
    ),
    "parameters for a fit": (
        lambda h: hfjax.covariance(h.model, h.data, h.model.parameters.init),
        ArgumentError,
        "has to be a hfjax.FitResult: hfjax.fit(model, data) makes one",
    ),
    "one name for a list of names": (
        lambda h: hfjax.covariance(
            h.model, h.data, hfjax.fit(h.model, h.data), fixed="mu"
        ),
        ArgumentError,
        'give the names of what the fit held, such as ["mu"]',
    ),
    "parameters for the yields of a fit": (
        lambda h: hfjax.yields(h.model, h.data, h.model.parameters.init),
        ArgumentError,
        "has to be a fit: hfjax.fit(model, data) makes one",
    ),
    "a model alone for what was fitted": (
        lambda h: hfjax.yields(h.model, h.data, None, fitted=h.model),
        ArgumentError,
        "has to be a pair: give what was fitted, fitted=(model, data)",
    ),
    "a document for a workspace to report on": (
        lambda h: hfjax.report(h.search.dump()),
        ArgumentError,
        "the workspace is of type dict, and has to be a hfjax.Workspace",
    ),
    "points for a scan": (
        lambda h: hfjax.report(h.search, scan=[1.0]),
        ArgumentError,
        "has to be a scan result: hfjax.scan makes one",
    ),
    "a model alone for what is built": (
        lambda h: hfjax.report(h.search, h.model),
        ArgumentError,
        "has to be a pair: give model and data, hfjax.build(workspace)",
    ),
    "a list of groups": (
        lambda h: hfjax.yields(h.model, h.data, groups=["top"]),
        ArgumentError,
        "groups are of type list, and have to be a dict: give samples by the name of a "
        'group, {"top": ["ttbar", "Wt"]}',
    ),
    "half a toy of a goodness of fit": (
        lambda h: hfjax.goodness_of_fit(h.model, h.data, toys=2.5),
        ArgumentError,
        "the number of toys is of type float, and has to be an int",
    ),
    "half a toy": (
        lambda h: hfjax.toys(h.model, h.data, 1.0, 2.5, 0),
        ArgumentError,
        "the number of toys is of type float, and has to be an int: give how many",
    ),
    "settings of fits for those of toys": (
        lambda h: hfjax.toys(h.model, h.data, 1.0, 5, 0, hfjax.FitSettings()),
        ArgumentError,
        "settings are of type FitSettings, and have to be a hfjax.ToySettings",
    ),
    "a dict of counts": (
        lambda h: hfjax.fit(h.model, {"singlechannel": [62]}),
        ArgumentError,
        "model.data({...}) makes others of counts by channel",
    ),
    "a list of counts": (
        lambda h: h.model.data([62.0]),
        ArgumentError,
        "give a dict of counts by the names of channels",
    ),
    "counts in words": (
        lambda h: h.data.with_counts({"singlechannel": ["a"]}),
        DataError,
        "counts of channel 'singlechannel' that are no numbers: ['a']",
    ),
    "a log-density of a dict": (
        lambda h: h.model.logpdf(h.model.parameters.init, {"singlechannel": [62]}),
        ArgumentError,
        "data are of type dict, and have to be a hfjax.Data",
    ),
    "a list to be packed": (
        lambda h: h.model.parameters.pack([1.0]),
        ArgumentError,
        'give values by name, such as {"mu": 1.0}',
    ),
    "a patch in the place of a measurement": (
        lambda h: hfjax.build(h.search, hfjax.Patch("a", (1,), ())),
        ArgumentError,
        "give it by its name, patch=...",
    ),
    "events without channels": (
        lambda _: hfjax.workspace([REGION], [1.0]),
        ArgumentError,
        "give a dict of events by the names of channels",
    ),
    "a setting as a dict": (
        lambda _: hfjax.workspace([REGION], {"SR": [1]}, parameters=[{"name": "mu"}]),
        ArgumentError,
        "ParameterConfig(name, inits=(1.0,), bounds=((0.0, 5.0),))",
    ),
    "a statistic that does not exist": (
        lambda h: hfjax.hypotest(h.model, h.data, test_stat="qtild"),
        UnknownNameError,
        "did you mean 'qtilde'",
    ),
    "a value in words": (
        lambda h: hfjax.hypotest(h.model, h.data, "1.0"),
        ArgumentError,
        "has to be a number",
    ),
    "a list of parameter values": (
        lambda h: h.model.logpdf([1.0, 1.0], h.data),
        ArgumentError,
        "params are of type list, and have to be a vector",
    ),
    "a start by name": (
        lambda h: hfjax.fit(h.model, h.data, start={"mu": 1.0}),
        ArgumentError,
        "start is of type dict, and has to be a vector: give an array, as `parameters",
    ),
    "names to hold in a test without values": (
        lambda h: hfjax.hypotest(h.model, h.data, fixed=["uncorr_bkguncrt"]),
        ArgumentError,
        'give values by name, such as {"JES": 0.0}',
    ),
    "names to hold without values": (
        lambda h: hfjax.fit(h.model, h.data, fixed=["mu"]),
        ArgumentError,
        'give values by name, such as {"JES": 0.0}',
    ),
    "names of a group without its name": (
        lambda h: hfjax.uncertainty_breakdown(h.model, h.data, groups=["JES_*"]),
        ArgumentError,
        "give lists of patterns by the name of a group",
    ),
    "a position for the name of a parameter": (
        lambda h: hfjax.impacts(h.model, h.data, 0),
        ArgumentError,
        'the parameter is of type int, and has to be a name: give its name, "mu"',
    ),
    "settings as a dict": (
        lambda h: hfjax.profile(h.model, h.data, {"mu": [1.0]}, settings={}),
        ArgumentError,
        "settings are of type dict, and have to be a hfjax.FitSettings",
    ),
    "a minimizer of another package": (
        lambda _: hfjax.FitSettings(minimizer=SimpleNamespace(update=None)),
        ArgumentError,
        "one of newton, jaxopt-lbfgsb, optax-lbfgs, by its name",
    ),
    "a path to be built": (
        lambda _: hfjax.build("BkgOnly.json"),
        ArgumentError,
        "Workspace.load reads a file",
    ),
    "a path of a patchset": (
        lambda h: hfjax.build_scan(h.search, "patchset.json"),
        ArgumentError,
        "PatchSet.load reads a file",
    ),
    "a scan of a model": (
        lambda h: hfjax.scan(h.model),
        ArgumentError,
        "hfjax.build_scan makes it",
    ),
    "a list of samples": (
        lambda _: hfjax.channel("SR", TWO),
        ArgumentError,
        "a sample of channel 'SR' is of type list",
    ),
    "a list of modifiers": (
        lambda _: sample("s", [1.0], [normfactor("mu")]),
        ArgumentError,
        "a modifier of sample 's' is of type list",
    ),
    "a channel for a list of them": (
        lambda _: hfjax.workspace(REGION, {"SR": [1]}),
        ArgumentError,
        "give a list of channels",
    ),
    "a list of lists of channels": (
        lambda _: hfjax.workspace([[REGION]], {"SR": [1]}),
        ArgumentError,
        "a channel of the workspace is of type list",
    ),
    "changes for factors": (
        lambda _: hfjax.normsys("x", -0.1, 0.1),
        SpecificationError,
        "give factors on the events, such as 0.9 and 1.1 for 10 %",
    ),
    "a parameter of interest with a slip": (
        lambda _: hfjax.workspace([REGION], {"SR": [1]}, poi="muu"),
        UnknownNameError,
        "no normfactor named 'muu' in the workspace: did you mean 'mu'?",
    ),
}


@pytest.fixture
def as_users_have_it():
    """The checks of types that the tests run with come before all others: off."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused(hello, name):
    use, error, words = WRONG[name]
    with pytest.raises(error, match=re.escape(words)) as caught:
        use(hello)
    assert "\n" not in str(caught.value)


def test_a_parameter_of_interest_may_come_with_a_patch():
    background = hfjax.channel("SR", sample("b", [1.0], normfactor("k")))
    search = hfjax.workspace([background], {"SR": [1]}, poi="mu_signal")
    assert search.measurement().poi == "mu_signal"

"""Workspaces with expressions: as documents, in edits, in checks and in conversions."""

import copy
import json

import pytest

from hfjax.documents.check.check import check
from hfjax.documents.convert.formats import Format, Imported, export_workspace
from hfjax.documents.convert.histfactory.write import export_xml
from hfjax.documents.convert.hs3.read import read_hs3
from hfjax.documents.convert.hs3.write import write_hs3
from hfjax.documents.convert.loss_report import LossReport
from hfjax.documents.edit.combine import combine
from hfjax.documents.edit.kept_parts import Rules, keep_parts
from hfjax.documents.edit.prune import Place, prune
from hfjax.documents.edit.prune_small import prune_small
from hfjax.documents.edit.rename import rename
from hfjax.documents.edit.select import select
from hfjax.documents.edit.sort import sort
from hfjax.documents.inspect.workspace import summary
from hfjax.documents.parameters.default_groups import default_groups
from hfjax.documents.parameters.derived import (
    brought_parameters,
    derived_parameters,
    names_in_expressions,
    unknown_in_expressions,
    used_expressions,
)
from hfjax.documents.parameters.parameter_sets import (
    model_parameters,
    parameter_groups,
    parameter_of_interest,
)
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import EditError, ModelError, SpecificationError, UnknownNameError
from tests.workspaces import modifier, normsys, sample

VERSION = "1.0.0+hfjax.1"


def factor(name):
    return modifier("normfactor", name)


def document(*settings, poi="mu"):
    """Signal, interference and background, in two channels."""
    search = [
        sample("signal", [5.0, 6.0], factor("mu"), normsys("xsec", 0.999, 1.001)),
        sample("interference", [-1.0, 2.0], factor("k")),
        sample("background", [50.0, 40.0], factor("f")),
    ]
    control = [sample("background", [90.0], factor("f"))]
    config = {"poi": poi, "parameters": list(settings)}
    return {
        "channels": [
            {"name": "SR", "samples": search},
            {"name": "CR", "samples": control},
        ],
        "observations": [
            {"name": "SR", "data": [54, 48]},
            {"name": "CR", "data": [91]},
        ],
        "measurements": [{"name": "fit", "config": config}],
        "version": VERSION,
    }


def workspace(*settings, poi="mu"):
    return Workspace.parse(document(*settings, poi=poi))


def given(name, expression):
    return {"name": name, "expression": expression}


ROOT = given("k", "sqrt(mu) * (1 - 'xsec' / 10)")
COUPLING = {"name": "c", "inits": [0.5], "bounds": [[-2, 2]]}


def expressions(found):
    (measurement,) = found.measurements
    return {name: each.text for name, each in measurement.expressions.items()}


# -- documents ---------------------------------------------------------------------


def test_a_document_stays_what_it_is():
    found = document(ROOT, COUPLING)
    assert Workspace.parse(found).dump() == found


def test_a_workspace_without_expressions_is_plain():
    plain = Measurement("fit", "mu", (ParameterConfig("mu"),))
    assert plain.expressions == {}
    assert "expression" not in plain.parameters[0].dump()
    assert ParameterConfig("k", expression="mu").extension == ("expression",)


def refused(found, words, pointer):
    with pytest.raises(SpecificationError, match=words) as caught:
        Workspace.parse(found)
    assert caught.value.pointer == pointer


PLACE = "/measurements/0/config/parameters/0"


def test_a_plain_version_does_not_know_expressions():
    refused(
        document(ROOT) | {"version": "1.0.0"},
        "'k' of measurement 'fit' has the key 'expression', which version 1.0.0",
        f"{PLACE}/expression",
    )


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("mu //2", "measurement 'fit': .*parameter 'k': the expression 'mu //2' has"),
        ("", "cannot be read"),
        (3, "3 is not of type 'string'"),
        (None, "None is not of type 'string'"),
    ],
)
def test_an_expression_that_cannot_be_read_is_refused_with_its_place(expression, words):
    refused(document(given("k", expression)), words, f"{PLACE}/expression")


SETTINGS = {
    "inits": [1.0],
    "bounds": [[0, 1]],
    "auxdata": [1.0],
    "sigmas": [1.0],
    "factors": [1.0],
    "fixed": False,
    "constraint": "none",
    "threshold": 0.1,
}


@pytest.mark.parametrize("key", SETTINGS)
def test_an_expression_stands_alone(key):
    entry = ROOT | {key: SETTINGS[key]}
    words = f"a parameter with an expression has no {key} of its own"
    refused(document(entry), words, f"{PLACE}/{key}")


def test_the_parameter_of_interest_has_a_value_of_its_own():
    words = (
        "parameter of interest 'k' is given by the expression 'mu', so that no value"
    )
    refused(document(given("k", "mu"), poi="k"), words, "/measurements/0/config/poi")


def test_a_circle_is_refused():
    found = document(given("k", "2 * f"), given("f", "mu - k"))
    words = "expression of 'k' needs 'k' itself: k -> f -> k"
    refused(found, words, "/measurements/0/config/parameters")


# -- parameters --------------------------------------------------------------------


def parameters(*settings):
    found = workspace(*settings)
    return model_parameters(found, found.measurement())


def test_a_derived_parameter_is_none_that_fits_move():
    groups, derived = parameters(ROOT)
    assert [group.name for group in groups] == ["f", "mu", "xsec"]
    assert [each.name for each in derived] == ["k"]


def test_a_parameter_of_expressions_only_stands_behind_the_normfactors():
    groups, derived = parameters(given("k", "c**2"), COUPLING)
    assert [group.name for group in groups] == ["f", "mu", "c", "xsec"]
    assert groups[2].inits == (0.5,)
    assert groups[2].bounds == ((-2, 2),)
    assert brought_parameters(derived, {"mu": groups[1], "k": groups[1]}) == ("c",)


def test_it_has_the_defaults_of_a_normfactor():
    groups, _ = parameters(given("k", "c**2"), {"name": "c"})
    assert (groups[2].inits, groups[2].bounds) == ((1.0,), ((0.0, 10.0),))


def test_expressions_of_expressions_come_in_order():
    chain = (given("k", "y * 2"), given("x", "mu"), given("y", "x + f"))
    _, derived = parameters(*chain)
    assert [each.name for each in derived] == ["x", "y", "k"]


def test_what_no_modifier_uses_is_left_out():
    groups, derived = parameters(ROOT, given("later", "theirs"))
    assert [each.name for each in derived] == ["k"]
    assert len(groups) == 3


def test_unknown_names_without_an_entry_are_refused():
    words = "'k' cannot be computed: no parameter named 'cc': did you mean 'c'"
    with pytest.raises(ModelError, match=words):
        parameters(given("k", "cc**2"), COUPLING)


def test_settings_of_a_parameter_of_expressions_are_checked():
    with pytest.raises(
        ModelError, match="gives 2 inits for parameter 'c', which has 1"
    ):
        parameters(given("k", "c**2"), {"name": "c", "inits": [1, 2]})


def test_the_factor_that_a_signal_brings_is_of_interest():
    """What the expressions of the background bring is none of the signal's."""
    found = document(given("f", "c**2"), COUPLING, poi="announced")
    found["channels"] = found["channels"][1:]
    found["observations"] = found["observations"][1:]
    background = Workspace.parse(found)
    found = copy.deepcopy(found)
    signal = sample("signal", [5.0], factor("mu_SIG"))
    found["channels"][0]["samples"].append(signal)
    patched = Workspace.parse(found)
    groups = parameter_groups(patched, patched.measurement())
    assert [group.name for group in groups] == ["mu_SIG", "c"]
    chosen = parameter_of_interest(groups, patched.measurement(), background)
    assert chosen == "mu_SIG"


def test_names_are_told():
    found = workspace(given("k", "mu - c"), given("later", "theirs"), COUPLING)
    (measurement,) = found.measurements
    names = {name for name, _ in found.modifiers}
    assert names_in_expressions(found.measurements) == {"mu", "c", "theirs"}
    assert set(used_expressions(measurement, names)) == {"k"}
    assert unknown_in_expressions(measurement, names) == frozenset()
    assert unknown_in_expressions(measurement, names - {"mu"}) == {("k", "mu")}
    assert [d.name for d in derived_parameters(measurement, default_groups(found))] == [
        "k"
    ]


# -- edits -------------------------------------------------------------------------


def test_renaming_goes_into_expressions():
    before = workspace(ROOT)
    found = rename(before, modifiers={"mu": "mu SIG", "k": "interference"})
    assert expressions(found) == {
        "interference": "sqrt('mu SIG') * (1 - 'xsec' / 10)",
    }
    assert found.measurement().poi == "mu SIG"
    assert expressions(before) == {"k": ROOT["expression"]}
    back = rename(found, modifiers={"mu SIG": "mu", "interference": "k"})
    assert back == before


def test_a_parameter_of_expressions_only_is_renamed_as_well():
    found = rename(workspace(given("k", "c**2"), COUPLING), modifiers={"c": "kappa"})
    assert expressions(found) == {"k": "kappa**2"}
    assert found.measurement().parameter("kappa") is not None
    with pytest.raises(UnknownNameError, match=r"no modifier named 'cc'.*'c'"):
        rename(workspace(given("k", "c**2"), COUPLING), modifiers={"cc": "kappa"})


def test_renaming_makes_no_circle():
    words = "measurement 'fit' with new names: .*needs 'mu' itself: mu -> mu"
    with pytest.raises(EditError, match=words):
        rename(workspace(given("k", "mu**2"), poi=""), modifiers={"k": "mu"})


def test_sorting_changes_no_meaning():
    found = workspace(given("k", "y"), given("y", "c * mu"), COUPLING)
    order = sort(found)
    assert [c.name for c in order.measurement().parameters] == ["c", "k", "y"]
    assert expressions(order) == expressions(found)
    assert parameter_groups(order, order.measurement()) == parameter_groups(
        found, found.measurement()
    )


def test_what_an_expression_needs_cannot_be_pruned_alone():
    found = workspace(given("k", "mu**2"))
    words = (
        r"parameter 'mu' cannot go: the expression 'mu\*\*2' of parameter 'k' in "
        "measurement 'fit' needs it; remove 'k' as well"
    )
    with pytest.raises(EditError, match=words):
        prune(found, modifiers=["mu"])
    with pytest.raises(EditError, match=words):
        prune(found, Place(sample="signal"))
    with pytest.raises(EditError, match=words):
        select(found, modifiers=["k", "f"])
    both = prune(found, modifiers=["mu", "k"])
    assert both.version == "1.0.0"
    assert expressions(both) == {}
    assert expressions(prune(found, modifiers=["k"])) == {}


def test_an_entry_keeps_what_an_expression_needs():
    """The settings of a pruned sample stay, and mu is then in k only."""
    before = workspace(given("k", "mu**2"), {"name": "mu"})
    found = prune(before, samples=["signal"])
    assert "mu" not in {name for name, _ in found.modifiers}
    assert expressions(found) == {"k": "mu**2"}


def test_what_was_missing_before_may_be_missing_after():
    """A background-only workspace, whose patches bring the parameter."""
    found = workspace(given("k", "theirs**2"))
    assert keep_parts(
        found, Rules(channel=lambda name: name != "CR")
    ).channel_names == ("SR",)
    assert expressions(prune(found, modifiers=["mu"])) == {"k": "theirs**2"}


def test_small_systematics_in_expressions_are_kept():
    assert prune_small(workspace(ROOT), 0.01).parameters == ()
    assert prune_small(workspace(given("k", "mu")), 0.01).parameters == ("xsec",)


def both(first, second, **options):
    """Two workspaces in one, which have one measurement and no channel in common."""
    other = document(*second)
    for one in (*other["channels"], *other["observations"]):
        one["name"] += "_other"
    return combine(workspace(*first), Workspace.parse(other), "outer", **options)


def test_combining_keeps_expressions():
    found = both([given("k", "mu**2")], [given("k", "mu**2"), COUPLING])
    assert expressions(found) == {"k": "mu**2"}
    assert found.version == VERSION


def test_combining_refuses_expressions_that_differ():
    with pytest.raises(EditError, match="parameter 'k' is not the same in both"):
        both([given("k", "mu**2")], [given("k", "mu**3")])


def test_combining_makes_no_circle():
    with pytest.raises(EditError, match=r"do not fit together: .*k -> f -> k"):
        both([given("k", "f")], [given("f", "k")])


# -- checks and summaries ----------------------------------------------------------


def kinds(found, **options):
    return [one.kind for one in check(Workspace.parse(found), **options)]


def test_a_check_sees_what_expressions_do():
    """k has its value, mu and c act through it, and their entries are of use."""
    found = document(given("k", "mu * c"), COUPLING)
    assert "setting-unused" not in kinds(found)
    assert "parameter-flat" not in kinds(found)
    found["channels"][0]["samples"][2]["data"][0] = 0.1  # 5 - 0.5 + 0.1 is positive
    assert "start-negative" not in kinds(found)
    found["measurements"][0]["config"]["parameters"][0]["expression"] = "12 * mu * c"
    assert "start-negative" in kinds(found)  # and not with less of mu


def test_a_parameter_of_expressions_only_makes_no_yields_negative():
    found = check(workspace(given("k", "c**2"), {"name": "c", "bounds": [[-3, 3]]}))
    assert [one.kind for one in found if one.kind == "bounds-negative"] == []


def test_a_check_names_refused_expressions_in_the_words_of_the_build():
    found = document(given("k", "muu"), given("f", "sqrt(-mu)"))
    with pytest.raises(ModelError) as caught:
        parameter_groups(Workspace.parse(found), Workspace.parse(found).measurement())
    (one,) = [
        c for c in check(Workspace.parse(found)) if c.kind == "expression-refused"
    ]
    assert (one.severity, one.pointer) == ("error", f"{PLACE}/expression")
    assert one.why == str(caught.value)


def test_a_check_names_expressions_without_a_value():
    found = document(given("k", "sqrt(-mu)"))
    one = check(Workspace.parse(found))[0]
    assert (one.kind, one.pointer) == ("expression-refused", f"{PLACE}/expression")
    assert "no finite value where fits start, at mu = 1" in one.why


def test_a_degenerate_factor_may_be_told_apart_by_an_expression():
    found = document(given("k", "mu"))
    found["channels"][0]["samples"][0]["modifiers"].append(factor("scale"))
    assert "poi-degenerate" not in kinds(found)
    found["measurements"][0]["config"]["parameters"] = []
    assert "poi-degenerate" in kinds(found)


def test_a_summary_shows_expressions():
    found = summary(workspace(ROOT, COUPLING))
    assert found["measurements"][0]["expressions"] == {"k": ROOT["expression"]}
    assert found["models"][0]["parameters"] == 3
    json.dumps(found, allow_nan=False)


# -- conversions -------------------------------------------------------------------


def lost(report):
    return [(one.kind, one.place, one.what) for one in report.losses]


LOST = ("expression", f"{PLACE}/expression", "'mu**2' of 'k'")


def test_xml_loses_expressions_and_says_so():
    report = export_xml(workspace(given("k", "mu**2"))).report
    assert LOST in lost(report)


def test_hs3_loses_expressions_and_says_so():
    found = workspace(given("k", "mu**2"))
    imported = Imported(found, Format.JSON, LossReport("json2json"))
    exported = export_workspace(imported, Format.HS3)
    assert lost(exported.report) == [LOST]
    with pytest.raises(
        SpecificationError, match=r"lose something: lost expression: 'mu"
    ):
        exported.report.refuse_losses()
    assert isinstance(exported.content, dict)
    again = read_hs3(exported.content).workspace
    groups = parameter_groups(again, again.measurement())
    assert "k" in [group.name for group in groups]


def test_hs3_is_not_written_without_a_report():
    with pytest.raises(ModelError, match="'k' of measurement 'fit' is given by the"):
        write_hs3(workspace(given("k", "mu**2")))


def test_an_expression_that_someone_left_in_hs3_is_not_believed():
    written = write_hs3(workspace())
    written = copy.deepcopy(written)
    written["misc"]["hfjax"]["settings"]["fit"] = [given("k", "mu**2")]
    written["misc"]["hfjax"]["version"] = VERSION
    assert expressions(read_hs3(written).workspace) == {}

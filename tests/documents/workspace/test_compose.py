"""Several modifiers of one type and name on a sample: refused, or made one."""

import copy
import io
import json
import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.convert.hs3.read import HS3Settings, read_hs3
from hfjax.documents.edit.prune import prune
from hfjax.documents.edit.sort import sort
from hfjax.documents.patchset.patchset import PatchSet, apply_patch
from hfjax.documents.reading.digest import digest
from hfjax.documents.reading.json_values import DIGESTS
from hfjax.documents.workspace.channel import Modifier
from hfjax.documents.workspace.compose import compose_document, compose_modifiers
from hfjax.documents.workspace.signal import Signal
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DigestError, PatchError, SpecificationError
from tests import workspaces
from tests.documents.convert.hs3 import documents as d
from tests.reference.histfactory import HistFactory
from tests.reference.interpolation import code4, code4p
from tests.workspaces import MU, sample

NOMINAL = [50.0, 20.0]


def normsys(lo, hi, name="jes"):
    return workspaces.normsys(name, lo, hi)


def histosys(lo, hi, name="jes"):
    return workspaces.histosys(name, lo, hi)


def document(*modifiers):
    """A workspace whose sample `top` has these modifiers."""
    samples = [sample("signal", [5.0, 1.0], MU), sample("top", NOMINAL, *modifiers)]
    return workspaces.workspace({"SR": samples}, {"SR": [60, 20]})


def composed(*modifiers):
    """What modifiers of `top` become."""
    workspace = Workspace.parse(document(*modifiers), compose=True)
    return [each.dump() for each in workspace.channel("SR").sample("top").modifiers]


def rates(workspace, alpha):
    """Expected events of the background, with all systematics at the same value."""
    model, _ = build(workspace)
    names = model.parameters.names
    point = jnp.array([0.0 if name == "mu" else alpha for name in names])
    return np.asarray(model.expected_data(point).main)


TWICE = (normsys(0.8, 1.1), normsys(0.7, 1.2))


def test_t2_modifiers_of_one_name_and_type_are_refused_by_default():
    for reader in (Workspace.parse, lambda x: Workspace.load(io.StringIO(dumped(x)))):
        with pytest.raises(SpecificationError, match="'jes' 'normsys' is there twice"):
            reader(document(*TWICE))


def dumped(content):
    return json.dumps(content)


def test_t2_the_refusal_says_how_to_compose():
    with pytest.raises(SpecificationError) as caught:
        Workspace.parse(document(MU, *TWICE))
    assert "--compose" in str(caught.value)
    assert caught.value.pointer == "/channels/0/samples/1/modifiers/2"
    with pytest.raises(SpecificationError) as caught:
        Workspace.parse(document(MU, MU))
    assert "compose" not in str(caught.value)


def test_t2_factors_multiply_to_66_events_where_pyhf_has_60():
    workspace = Workspace.parse(document(*TWICE), compose=True)
    assert rates(workspace, 1.0)[0] == pytest.approx(66.0, rel=1e-14)
    assert composed(*TWICE) == [normsys(0.8 * 0.7, 1.1 * 1.2)]


@pytest.mark.parametrize("alpha", [-2.7, -1.0, 0.0, 1.0, 1.4, 3.0])
def test_t2_a_product_is_exact_at_zero_and_from_one_standard_deviation_on(alpha):
    single = Workspace.parse(document(*TWICE), compose=True)
    apart = Workspace.parse(document(normsys(0.8, 1.1, "a"), normsys(0.7, 1.2, "b")))
    expected = rates(apart, alpha)
    np.testing.assert_allclose(rates(single, alpha), expected, rtol=1e-13)


@pytest.mark.parametrize(("size", "most"), [(0.05, 1.2e-5), (0.2, 1e-3), (0.5, 2.2e-2)])
def test_t2_a_product_differs_inside_by_as_much_as_is_said(size, most):
    lo, hi = 1 - size, 1 + size
    differences = [
        abs(code4(alpha, lo**2, hi**2) / code4(alpha, lo, hi) ** 2 - 1)
        for alpha in np.linspace(-1, 1, 401)
    ]
    assert most / 2 < max(differences) < most


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.lists(st.floats(0.0, 90.0), min_size=4, max_size=4), min_size=2),
    st.floats(-4, 4),
)
def test_t2_a_sum_of_shifts_is_exact_everywhere(shapes, alpha):
    shapes = shapes[:4]
    pairs = [(shape[:2], shape[2:]) for shape in shapes]
    twice = [histosys(*pair) for pair in pairs]
    apart = [histosys(*pair, name=f"j{i}") for i, pair in enumerate(pairs)]
    single = Workspace.parse(document(*twice), compose=True)
    expected = rates(Workspace.parse(document(*apart)), alpha)
    np.testing.assert_allclose(rates(single, alpha), expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("alpha", [-3.3, -1.0, -0.4, 0.0, 0.7, 1.0, 2.1])
def test_t2_the_events_are_those_of_the_definition(alpha):
    """Shifts add up bin by bin, and factors multiply after that, by plain loops."""
    shapes = [([45.0, 19.0], [56.0, 20.5]), ([51.0, 12.0], [48.0, 27.0])]
    factors = [(0.8, 1.1), (0.7, 1.2), (1.05, 0.9)]
    expected = []
    for b, nominal in enumerate(NOMINAL):
        shifts = [code4p(alpha, lo[b], nominal, hi[b]) for lo, hi in shapes]
        lo, hi = (math.prod(pair[i] for pair in factors) for i in (0, 1))
        expected.append((nominal + sum(shifts)) * code4(alpha, lo, hi))
    modifiers = [normsys(*pair) for pair in factors]
    modifiers += [histosys(*pair) for pair in shapes]
    workspace = Workspace.parse(document(*modifiers), compose=True)
    np.testing.assert_allclose(rates(workspace, alpha), expected, rtol=1e-13)
    slow = HistFactory(workspace.dump()).expected_rates([alpha, 0.0])
    np.testing.assert_allclose(slow.sum(axis=0), expected, rtol=1e-13)


def test_t2_a_shift_of_nothing_changes_no_digit():
    first = histosys([0.1, 0.3], [60.1, 20.7])
    assert composed(first, histosys(NOMINAL, NOMINAL)) == [first]


def test_the_composed_modifier_takes_the_place_of_the_first():
    shift = histosys([45.0, 19.0], [55.0, 21.0])
    found = composed(normsys(0.5, 2), MU, shift, normsys(1, 2), shift, normsys(2, 0.5))
    twice = histosys([40.0, 18.0], [60.0, 22.0])
    assert found == [normsys(1.0, 2.0), MU, twice]


@pytest.mark.parametrize(
    "modifier",
    [
        MU,
        {"name": "lumi", "type": "lumi", "data": None},
        {"name": "a", "type": "shapefactor", "data": None},
        {"name": "a", "type": "shapesys", "data": [1.0, 2.0]},
        {"name": "a", "type": "staterror", "data": [1.0, 2.0]},
    ],
    ids=lambda modifier: modifier["type"],
)
def test_t2_others_stay_refused_at_their_place(modifier):
    message = f"'{modifier['name']}' '{modifier['type']}' is there twice"
    with pytest.raises(SpecificationError, match=message) as caught:
        Workspace.parse(document(*TWICE, modifier, modifier), compose=True)
    assert caught.value.pointer == "/channels/0/samples/1/modifiers/3"


def test_t2_negative_factors_are_not_multiplied():
    with pytest.raises(SpecificationError) as caught:
        Workspace.parse(document(normsys(-0.1, 1.1), normsys(-0.2, 1.1)), compose=True)
    assert "sample 'top': normsys 'jes' is there 2 times with the factor -0.2" in str(
        caught.value
    )
    assert caught.value.pointer == "/channels/0/samples/1/modifiers"
    assert composed(normsys(-0.1, 1.1)) == [normsys(-0.1, 1.1)]


@pytest.mark.parametrize(
    "modifier",
    [normsys(1.0, 1e200), normsys(1, 10**200), histosys(NOMINAL, [1e308, 20.0])],
    ids=lambda modifier: modifier["type"],
)
def test_t2_what_no_number_can_hold_is_refused(modifier):
    message = f"{modifier['type']} 'jes' is there 2 times, and what they are together"
    with pytest.raises(SpecificationError, match=message) as caught:
        Workspace.parse(document(modifier, modifier), compose=True)
    assert caught.value.pointer == "/channels/0/samples/1/modifiers"


def test_t2_a_patch_that_counts_modifiers_is_not_for_what_is_composed():
    """The third of the document is the second of the workspace."""
    workspace = Workspace.parse(document(*TWICE, MU), compose=True)
    other = {"op": "replace", "path": "/channels/0/samples/1/modifiers/2", "value": MU}
    moved = {"op": "move", "path": "/channels/0/samples/1/modifiers/-"}
    moved["from"] = "/channels/0/samples/1/modifiers/1"
    events = {"op": "replace", "path": "/channels/0/samples/1/data/0", "value": 49.0}
    for operation in (other, moved):
        with pytest.raises(PatchError, match="2 normsys 'jes' of sample 'top' are com"):
            apply_patch(workspace, [events, operation])
    patched = apply_patch(workspace, [events])
    assert patched.channel("SR").sample("top").data == (49.0, 20.0)
    with pytest.raises(PatchError, match="counts modifiers"):
        apply_patch(patched, [other])
    written = Workspace.parse(workspace.dump(), compose=True)
    assert written.composed == ()
    first = [{**other, "path": "/channels/0/samples/1/modifiers/1"}]
    assert apply_patch(written, first) == workspace


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"name": "jes", "type": "normsys", "data": {"lo": 1}}, "'hi' is a required"),
        ({"name": "jes", "type": "normsys", "data": None}, "None is not of type"),
        ("jes", "'jes' is not"),
        (histosys([1.0], [2.0, 3.0]), "1 numbers in lo_data"),
    ],
)
def test_what_is_malformed_is_refused_as_ever(bad, message):
    twice = document(bad, bad)
    refusals = []
    for compose in (False, True):
        with pytest.raises(SpecificationError, match=message) as caught:
            Workspace.parse(twice, compose=compose)
        refusals.append(str(caught.value))
    assert refusals[0] == refusals[1]


def test_the_document_stays_as_it_is():
    twice = document(*TWICE)
    before = copy.deepcopy(twice)
    found = compose_document(twice)
    assert twice == before
    assert found.places == (
        ("/channels/0/samples/1", "2 normsys 'jes' of sample 'top'"),
    )
    new = found.document["channels"][0]["samples"]
    assert new[0] is twice["channels"][0]["samples"][0]


def test_where_nothing_is_twice_the_document_is_the_same_object():
    once = document(normsys(0.9, 1.1), histosys(NOMINAL, NOMINAL), MU)
    assert compose_document(once).document is once
    assert Workspace.parse(once, compose=True) == Workspace.parse(once)


def test_three_are_composed_in_any_order():
    three = [Modifier("a", "normsys", {"lo": 0.5, "hi": x}) for x in (2.0, 4.0, 8.0)]
    for order in (three, three[::-1]):
        (found,) = compose_modifiers(order, (1.0,))
        assert found.data == {"lo": 0.125, "hi": 64.0}


def patchset(*modifiers):
    """A patchset whose one patch adds a sample."""
    sample = {"name": "new", "data": [1.0, 2.0], "modifiers": list(modifiers)}
    operation = {"op": "add", "path": "/channels/0/samples/2", "value": sample}
    patch = {"metadata": {"name": "a", "values": [1]}, "patch": [operation]}
    metadata = {
        "references": {"hepdata": "ins1234567"},
        "digests": {"sha256": "0" * 64},
        "labels": ["m"],
        "description": "",
    }
    return {"metadata": metadata, "patches": [patch], "version": "1.0.0"}


def test_t2_what_patches_bring_is_composed_as_well():
    workspace = Workspace.parse(document(MU))
    text = dumped(patchset(MU, *TWICE))
    found = PatchSet.load(io.StringIO(text), compose=True)["a"].apply(workspace)
    sample = found.channel("SR").sample("new")
    expected = Modifier("jes", "normsys", {"lo": 0.8 * 0.7, "hi": 1.1 * 1.2})
    assert sample.modifiers[1:] == (expected,)


def for_document(content):
    """A patchset that is made for a document."""
    made = patchset(MU)
    made["metadata"]["digests"] = {name: digest(content, name) for name in DIGESTS}
    return PatchSet.parse(made)


def test_t2_a_patchset_is_verified_against_the_document_as_it_was_read():
    """It was published with the file; the workspace was composed after that."""
    published = document(*TWICE)
    workspace = Workspace.parse(published, compose=True)
    before, after = for_document(published), for_document(workspace.dump())
    assert before.digests != after.digests
    for patches in (before, after):
        found = patches.apply(workspace, "a")
        assert found.channel("SR").sample_names == ("signal", "top", "new")
        with pytest.raises(DigestError, match=before.digests["md5"]):
            for_document({}).verify(workspace)
    after.verify(Workspace.parse(workspace.dump()))


def test_t2_what_was_changed_since_is_not_what_was_read():
    published = document(*TWICE)
    workspace = Workspace.parse(published, compose=True)
    patches = for_document(published)
    events = {"op": "replace", "path": "/channels/0/samples/1/data/0", "value": 49.0}
    changed = [
        apply_patch(workspace, [events]),
        workspace.with_signal(
            Signal.parse({"name": "a", "channels": {"SR": [1.0, 2]}})
        ),
        prune(workspace, samples=["signal"]),
        sort(workspace),
    ]
    for other in changed:
        assert other.read_digests == {}
        with pytest.raises(DigestError, match="is not made for this workspace"):
            patches.verify(other)


def test_a_workspace_without_composed_modifiers_has_its_own_digest_only():
    once = document(normsys(0.9, 1.1), MU)
    assert Workspace.parse(once, compose=True).read_digests == {}


def test_t2_hs3_modifiers_of_one_parameter_are_composed():
    one = d.normsys("a") | {"parameter": "alpha_jes"}
    other = d.normsys("b") | {"parameter": "alpha_jes"}
    hs3 = d.document(
        d.channel("SR", d.sample("s", d.modifier(**MU_OF_HS3), one, other))
    )
    with pytest.raises(SpecificationError, match="'jes' 'normsys' is there twice"):
        read_hs3(hs3)
    found = read_hs3(hs3, HS3Settings(compose=True))
    (_, jes) = found.workspace.channel("SR").sample("s").modifiers
    assert jes == Modifier("jes", "normsys", {"lo": 0.9 * 0.9, "hi": 1.2 * 1.2})
    (note,) = found.report.notes
    assert (note.kind, note.what) == ("composed", "2 normsys 'jes' of sample 's'")


MU_OF_HS3 = {"kind": "normfactor", "name": "mu", "parameter": "mu"}

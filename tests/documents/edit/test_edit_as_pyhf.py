"""Edits give the documents that pyhf gives, case by case.

What pyhf 0.7.6 made of the cases is in `tests/reference/edit_pyhf.json`, written by
`tests/reference/edit_with_pyhf.py`. Differences are where pyhf makes a workspace with
two things of one name or with numbers of bins that differ, which its schema lets pass
and its model refuses or misreads, and where it does not see a type of modifiers.
"""

import json
import warnings

import pytest

import hfjax
from tests.reference.edit_cases import (
    CASES,
    COMBINATIONS,
    OPERATIONS,
    REFUSED,
    RESULTS,
    Case,
    cases,
    inputs_digest,
    names_in,
    short_digest,
)

EXPECTED = json.loads(RESULTS.read_text(encoding="utf-8"))
FLAWS = ("two of one name", "numbers of bins differ")


def result(case: Case) -> hfjax.Workspace:
    """What our edit gives."""
    workspaces = [hfjax.Workspace.parse(found) for found in case.documents]
    if case.operation in COMBINATIONS:
        return hfjax.combine(*workspaces, **case.arguments)
    return getattr(hfjax, case.operation)(*workspaces, **case.arguments)


def outcome(case: Case) -> str:
    """Digest of the document that our edit gives, or that it is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return short_digest(result(case).dump())
        except hfjax.HfjaxError:
            return REFUSED


def overlooked(case: Case) -> list[str]:
    """Types to prune that pyhf does not find, because it keeps one type a name."""
    samples = [s for c in case.documents[0]["channels"] for s in c["samples"]]
    pairs = sorted({(m["name"], m["type"]) for s in samples for m in s["modifiers"]})
    known = names_in(case.documents[0])["modifier_types"]
    asked = case.arguments.get("modifier_types", ())
    return [
        kind for kind in asked if kind in known and kind not in dict(pairs).values()
    ]


def left_to_patches(case: Case) -> list[str]:
    """Parameters of interest to rename that no modifier has: pyhf refuses them."""
    document = case.documents[0]
    known = {found["config"]["poi"] for found in document["measurements"]}
    asked = case.arguments.get("modifiers", ())
    return [n for n in asked if n in known - set(names_in(document)["modifiers"])]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_cases_are_those_that_pyhf_was_given(operation):
    assert EXPECTED[operation]["inputs"] == inputs_digest(operation)
    assert len(EXPECTED[operation]["outcomes"]) == CASES


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_edit_gives_the_same_document_or_both_refuse(operation):
    found = zip(cases(operation), EXPECTED[operation]["outcomes"], strict=True)
    different = []
    for index, (case, expected) in enumerate(found):
        known = overlooked(case) or left_to_patches(case)
        if not known and expected not in FLAWS:
            ours = outcome(case)
            if ours != expected:
                different.append((index, ours, expected))
    assert not different


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_workspace_that_pyhf_makes_and_cannot_use_is_refused(operation):
    found = zip(cases(operation), EXPECTED[operation]["outcomes"], strict=True)
    for case, expected in found:
        if expected in FLAWS:
            assert outcome(case) == REFUSED


def test_cases_hit_every_outcome():
    outcomes = {name: EXPECTED[name]["outcomes"] for name in OPERATIONS}
    for name in ("combine none", "combine outer", "merge outer", "prune", "rename"):
        assert 20 <= outcomes[name].count(REFUSED) <= CASES - 40, name
    assert outcomes["rename"].count("two of one name") >= 5
    assert outcomes["merge left outer"].count("numbers of bins differ") >= 1
    for name in OPERATIONS:
        assert len(set(outcomes[name])) > 40


def test_t17_half_of_a_systematic_that_pyhf_overlooks_is_pruned():
    """pyhf keeps one type a name: of a histosys and a normsys of one name, normsys."""
    found = zip(cases("prune"), EXPECTED["prune"]["outcomes"], strict=True)
    differing = [(case, expected) for case, expected in found if overlooked(case)]
    assert {expected for _, expected in differing} == {REFUSED}
    ours = [result(case) for case, _ in differing if outcome(case) != REFUSED]
    assert ours
    gone = {kind for case, _ in differing for kind in overlooked(case)}
    assert gone == {"histosys"}
    assert not any(kind in gone for ws in ours for _, kind in ws.modifiers)

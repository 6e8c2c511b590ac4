"""Conditions of `--select`: what they mean, and that they can do nothing else."""

import pytest
import typer

from hfjax.cli.commands.selection import select
from hfjax.documents.patchset.patchset import Patch, PatchSet

POINTS = {"a": (200, 0), "b": (300, 50.5), "c": (400, 300), "d_x": (500, 0)}


@pytest.fixture(scope="module")
def patchset() -> PatchSet:
    patches = tuple(Patch(name, values, ()) for name, values in POINTS.items())
    return PatchSet(("m_parent", "m_lsp"), {}, {}, "a plane", patches)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("m_parent>300", "c d_x"),
        ("m_parent >= 300", "b c d_x"),
        ("m_parent>200 and m_lsp<51", "b d_x"),
        ("m_parent<300 or m_lsp>100", "a c"),
        ("not m_lsp == 0", "b c"),
        ("200 < m_parent < 500", "b c"),
        ("m_parent - m_lsp <= 200", "a c"),
        ("m_lsp / m_parent > 0.5", "c"),
        ("-m_lsp < -50", "b c"),
        ("name=='c'", "c"),
        ("name != 'c'", "a b d_x"),
        ("name in ('a', 'c')", "a c"),
        ("'x' in name", "d_x"),
        ("m_parent not in [200, 300]", "c d_x"),
        ("sqrt(m_parent**2 + m_lsp**2) >= 500", "c d_x"),
        ("abs(m_lsp - 50) < 1", "b"),
        ("m_lsp > 0 and m_parent / m_lsp > 2", "b"),  # nothing is divided by zero
        ("m_lsp == 0 or m_parent / m_lsp > 2", "a b d_x"),
        ("name != 'a#b'", "a b c d_x"),
        ("(m_parent == 200 or m_parent == 300) and m_lsp > 0", "b"),
    ],
)
def test_conditions_mean_what_they_say(patchset, condition, names):
    assert select(patchset, condition) == tuple(names.split())


def test_strings_can_be_values():
    patches = (Patch("a", ("gluino", 1), ()), Patch("b", ("stop", 2), ()))
    patchset = PatchSet(("kind", "m"), {}, {}, "two", patches)
    assert select(patchset, "kind == 'stop'") == ("b",)
    with pytest.raises(typer.BadParameter, match="has no value for 'a'"):
        select(patchset, "kind > 5")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("m_parnt > 3", "unknown name 'm_parnt': did you mean 'm_parent'"),
        ("m_parent >", "the condition 'm_parent >' cannot be read: invalid syntax"),
        ("", "the condition '' cannot be read"),
        ("m_parent = 300", "cannot be read at character"),
        ("m_parent", "is no condition: compare it"),
        ("m_parent and m_lsp > 0", "'m_parent' is neither true nor false"),
        ("not m_parent", "'m_parent' is neither true nor false"),
        ("m_parent > 9000", "no patch fulfils 'm_parent > 9000'"),
        ("m_parent / m_lsp > 1", "has no value for 'a': division by zero"),
        ("name * 9 == 'a'", "'name' is no number"),
        ("m_parent < 'x'", "has no value for 'a'"),
        ("m_parent\0>1", "null bytes"),
        ("m_parent // 2 > 1", "has '//' in it: a condition may have comparisons"),
        ("name is 'a'", "has \"name is 'a'\" in it"),
        ("sqrt(-m_parent) > 1", "has no value for 'a': math domain error"),
        ("sqr(m_parent) > 1", "no function named 'sqr': did you mean 'sqrt'"),
        ("m_parent > 1 # all", "has '#' in it"),
    ],
)
def test_what_is_no_condition_is_refused(patchset, condition, message):
    with pytest.raises(typer.BadParameter) as caught:
        select(patchset, condition)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('true') == 0",
        "name.upper() == 'A'",
        "name.__class__ == 1",
        "[x for x in (1, 2)] == 1",
        "(lambda: 1)() == 1",
        "f'{name}' == 'a'",
        "name[0] == 'a'",
        "9 ** 9 ** 9 > 1",
        "1 << 1000000 > 1",
        "(m := 3) > 2",
        "{} == name",
        "name is 'a'",
        "True",
        "None == name",
        "b'a' == name",
        "1j == name",
    ],
)
def test_a_condition_can_run_no_program(patchset, condition):
    with pytest.raises(typer.BadParameter):
        select(patchset, condition)


def test_a_condition_nested_too_deeply_is_refused(patchset):
    with pytest.raises(typer.BadParameter):
        select(patchset, "(" * 5000 + "m_lsp" + ")" * 5000)
    with pytest.raises(typer.BadParameter):
        select(patchset, "-" * 90000 + "m_lsp < 1")

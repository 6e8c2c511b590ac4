"""Expressions: what they may have, what they give, and how others are refused."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from hfjax.documents.reading.expression import MAX_DEPTH, spelled
from hfjax.documents.workspace.expression import (
    MAX_LENGTH,
    evaluation_order,
    parse_expression,
)
from hfjax.errors import SpecificationError

FUNCTIONS = {name: getattr(math, name) for name in ("sqrt", "exp", "log")}
VALUES = {"mu": 0.7, "f": 1.9, "theta_1": -0.4}


def python(text, values):
    """What Python itself makes of an expression; None where that is no number."""
    try:
        found = eval(text, {**FUNCTIONS, **values})
    except (ArithmeticError, ValueError):
        return None
    return found if isinstance(found, int | float) and math.isfinite(found) else None


def read(text):
    """The expression; None if it has no parameter, or no number of numbers."""
    try:
        return parse_expression(text)
    except SpecificationError as error:
        message = str(error)
    assert "no finite number" in message or "no parameter" in message
    return None


# -- arithmetic --------------------------------------------------------------------

LEAVES = st.one_of(
    st.sampled_from([*VALUES, *VALUES]),
    st.integers(0, 9).map(str),
    st.floats(0, 50).map(repr),
)


def _larger(inner):
    binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner)
    single = st.tuples(st.sampled_from(["sqrt", "exp", "log", "abs"]), inner)
    several = st.tuples(
        st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=4)
    )
    return st.one_of(
        binary.map(" ".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        single.map(lambda pair: f"{pair[0]}({pair[1]})"),
        several.map(lambda pair: f"{pair[0]}({', '.join(pair[1])})"),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(LEAVES, _larger, max_leaves=12))
def test_an_expression_is_worth_what_python_says(text):
    """In precedence, associativity and value; numbers alone have to be numbers."""
    known = python(text, VALUES)
    if (expression := read(text)) is None:
        return
    found = expression.value(VALUES)
    if known is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(known, rel=1e-12, abs=1e-300)
    assert set(expression.names) == {name for name in VALUES if name in text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-mu**2", -9.0),
        ("2**-mu", 0.125),
        ("mu - 1 - 1", 1.0),
        ("mu / 2 / 3", 0.5),
        ("2 ** mu ** 0.5 ** 2", 2 ** (3**0.25)),
        ("12 / mu * 2", 8.0),
        ("max(min(mu, 2), 1, -mu)", 2.0),
        ("0x10 + 1_000 * mu", 3016.0),
        (" (mu\n + 1)\t", 4.0),
    ],
)
def test_precedence(text, value):
    assert parse_expression(text).value({"mu": 3}) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("text", ["sqrt(mu)", "log(mu)", "mu**0.5", "1 / (mu + 1)"])
def test_no_value_is_nan(text):
    assert math.isnan(parse_expression(text).value({"mu": -1.0}))


def test_a_value_that_overflows_is_none():
    assert math.isnan(parse_expression("exp(mu)").value({"mu": 1e3}))


def test_a_long_sum_is_no_deep_expression():
    """As many couplings as an effective theory has."""
    terms = [f"{i} * c{i} * c{i + 1}" for i in range(200)]
    expression = parse_expression(" + ".join(terms))
    values = {f"c{i}": 1.0 for i in range(201)}
    assert expression.value(values) == sum(range(200))


# -- names -------------------------------------------------------------------------


def test_names_come_once_and_in_order():
    expression = parse_expression("f * mu - sqrt(f) * 'a b' + exp")
    assert expression.names == ("f", "mu", "a b", "exp")


@pytest.mark.parametrize("name", ["µ", "ﬁ", "Ω", "mu_SIG", "𝜇"])
def test_names_stay_as_they_are_written(name):
    """Python's parser would turn the micro sign into a Greek letter."""
    expression = parse_expression(f"2 * {name} + 1")
    assert expression.names == (name,)
    assert expression.value({name: 3.0}) == 7.0


@pytest.mark.parametrize(
    "name", ["k-factor", "lambda", "it's", "a#b", 'x"', "W + jets"]
)
def test_any_name_can_be_spelled(name):
    expression = parse_expression(f"1 - {spelled(name)} * 2")
    assert expression.names == (name,)


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@settings(deadline=None)
@given(NAMES, NAMES)
def test_renaming_is_undone_by_renaming_back(old, new):
    text = f"({spelled(old)} + mu) ** 2 - µ * {spelled(old)}"
    if {old, new} & {"mu", "µ"} or old == new:
        return
    expression = parse_expression(text)
    renamed = parse_expression(expression.renamed({old: new}))
    assert renamed.names == (new, "mu", "µ")
    assert renamed.renamed({new: old}) == expression.text
    values = {"mu": 0.2, "µ": 0.3}
    known = expression.value({**values, old: 2.0})
    assert renamed.value({**values, new: 2.0}) == known


def test_names_that_are_swapped():
    assert parse_expression("a - b").renamed({"a": "b", "b": "a"}) == "b - a"


# -- what is refused ---------------------------------------------------------------

REFUSED = {
    "mu // 2": "the expression 'mu // 2' has '//' in it: an expression may have",
    "mu % 2": "'%'",
    "mu^2": r"has '\^' in it: write a power as \*\*",
    "+mu": r"'\+ before a term'",
    "~mu": "'~'",
    "not mu": "'not'",
    "mu < 1": "'mu < 1'",
    "mu if f else 1": "'mu if f else 1'",
    "mu and f": "'mu and f'",
    "lambda: mu": "'lambda: mu'",
    "[mu]": r"'\[mu\]'",
    "{mu}": "'{mu}'",
    "(mu, f)": r"'\(mu, f\)'",
    "gamma[0]": r"'gamma\[0\]'",
    "mu.real": "'mu.real'",
    "mu(2)": "no function named 'mu'",
    "True * mu": "'True'",
    "None": "'None'",
    "1j * mu": "'1j'",
    "b'mu'": "\"b'mu'\"",
    "f'{mu}'": "\"f'{mu}'\"",
    "mu # twice": "'#'",
    "sqr(mu)": "no function named 'sqr': did you mean 'sqrt'",
    "__import__('os').system('true')": "__import__",
    "sqrt(mu, 2)": "gives sqrt 2: sqrt takes one argument",
    "sqrt()": "gives sqrt 0: sqrt takes one argument",
    "min(mu)": "gives min 1: min takes two arguments or more",
    "sqrt(x=mu)": r"'sqrt\(x=mu\)'",
    "max(*mu, *mu)": r"'\*mu'",
    "mu mu": "cannot be read at character 4",
    "mu +": "cannot be read: invalid syntax",
    "mu := 2": "cannot be read at character 4",
    "mu\0": "null bytes",
    r"'\d' * mu": "cannot be read.*escape",
    "'": "cannot be read",
    "": "cannot be read",
    "mu + ''": "has 'an empty name' in it",
    "2 * 3": "has no parameter in it: give inits and `fixed`",
    "mu * (1 / 0)": "has / of 1, 0 in it: that is no finite number",
    "9**9**9 * mu": r"has \*\* of 9",
    "log(0) + mu": "has log of 0",
    "1e999 * mu": "has '1e999' in it: that is too large a number",
    "1" * 400 + " * mu": "too large a number",
    "-" * 400 + "mu": "is nested too deeply",
    "(" * 300 + "mu" + ")" * 300: "too many nested parentheses",
    "abs(" * 80 + "mu" + ")" * 80: "is nested too deeply",
    "mu" * MAX_LENGTH: f"{2 * MAX_LENGTH} characters, more than {MAX_LENGTH}",
}


@pytest.mark.parametrize(("text", "words"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_not_allowed_is_named(text, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        parse_expression(text)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text("mu f0123()+-*/.,'\"^=:[]\\\n#", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        expression = parse_expression(text)
    except SpecificationError:
        return
    assert expression.names
    values = dict.fromkeys(expression.names, 1.5)
    assert isinstance(expression.value(values), float)


# -- expressions of expressions ----------------------------------------------------


def order(**texts):
    found = {name: parse_expression(text) for name, text in texts.items()}
    return evaluation_order(found)


def test_each_follows_what_it_needs():
    assert order(c="b * a", b="a + mu", a="mu") == ("a", "b", "c")
    assert order(b="mu", a="mu") == ("b", "a")


@pytest.mark.parametrize(
    ("texts", "circle"),
    [
        ({"a": "a + 1"}, "a -> a"),
        ({"a": "b", "b": "2 * c", "c": "mu + a"}, "a -> b -> c -> a"),
        ({"mu": "x", "x": "y", "y": "x"}, "x -> y -> x"),
    ],
)
def test_a_circle_is_shown(texts, circle):
    with pytest.raises(SpecificationError, match=f"itself: {circle}; give one"):
        order(**texts)


def test_a_chain_is_not_too_long():
    chain = {f"k{i}": f"k{i + 1}" for i in range(MAX_DEPTH + 1)}
    with pytest.raises(SpecificationError, match="need one another: 'k0' first"):
        order(**chain)
    wide = {f"k{i}": f"k{i - 1} + k{i - 1}" for i in range(1, MAX_DEPTH)}
    assert len(order(**wide)) == MAX_DEPTH - 1  # in no time

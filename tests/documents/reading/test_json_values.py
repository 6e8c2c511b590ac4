"""Strict reading of JSON values; `test_schema.py` does the same with documents."""

import re

import pytest

from hfjax.documents.reading.json_values import (
    POINTER,
    Malformed,
    items,
    matching,
    members,
    number,
    number_or_text,
    numbers,
    text,
)

HUGE = 10**400
"""A whole number that no float holds."""


@pytest.mark.parametrize("value", [0, -3, 2.5, 10**300, float("inf")])
def test_a_number_stays_what_it_is(value):
    assert number(value) is value
    assert number_or_text(value) is value


@pytest.mark.parametrize("value", [True, None, "1", [1], HUGE, -HUGE])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(Malformed):
        number(value)


@pytest.mark.parametrize("found", [[1.5, 2.5], [1, 2], [1, 2.5, 2**60], [10**300]])
def test_numbers_keep_their_types(found):
    read = numbers(found)
    assert read == tuple(found)
    assert list(map(type, read)) == list(map(type, found))


@pytest.mark.parametrize(
    "value", [[], (1,), 1, "12", None, [1, True], [1.5, None], [1, "2"], [0.5, HUGE]]
)
def test_what_is_no_list_of_numbers_is_refused(value):
    with pytest.raises(Malformed):
        numbers(value)


def test_a_list_has_as_many_items_as_asked():
    assert items([1, 2], least=2) == [1, 2]
    assert items([], least=0) == []
    for value, least in (([1], 2), ([], 1), ({"a": 1}, 0), ("ab", 1)):
        with pytest.raises(Malformed):
            items(value, least)


def test_text_is_text():
    assert text("") == number_or_text("") == ""
    for value in (None, 1, b"a", ["a"]):
        with pytest.raises(Malformed):
            text(value)


@pytest.mark.parametrize(
    ("value", "right"),
    [("", True), ("/a/0", True), ("/a~1b~0", True), ("a", False), ("/a~2", False)],
)
def test_text_has_its_form(value, right):
    if right:
        assert matching(value, POINTER) == value
    else:
        with pytest.raises(Malformed):
            matching(value, POINTER)
    with pytest.raises(Malformed):
        matching(None, re.compile(""))


def test_an_object_has_its_keys_and_no_other():
    name, data = frozenset({"name"}), frozenset({"data"})
    for value in ({"name": 1}, {"name": 1, "data": 2}):
        assert members(value, name, data) is value
    for value in ({}, {"data": 2}, {"name": 1, "more": 3}, ["name"], None):
        with pytest.raises(Malformed):
            members(value, name, data)
    with pytest.raises(Malformed):
        members({"name": 1, "data": 2}, name)

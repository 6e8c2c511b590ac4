"""Lists of records: parsed one by one, looked up by name, refused when they repeat."""

from typing import NamedTuple

import pytest

from hfjax.documents.reading.json_values import Malformed, members
from hfjax.documents.reading.records import find, names, parse_each, refuse_duplicates
from hfjax.errors import SpecificationError, UnknownNameError


class Record(NamedTuple):
    name: str
    kind: str = ""


def parsed(value):
    found = members(value, frozenset({"name"}))
    if not found["name"]:
        message = "a name is needed"
        raise SpecificationError(message, "/name")
    return Record(found["name"])


def test_records_are_parsed_in_their_order():
    document = {"samples": [{"name": "top"}, {"name": "W"}]}
    assert names(parse_each(document, "samples", parsed)) == ("top", "W")


def test_an_error_tells_in_which_record_it_is():
    document = {"samples": [{"name": "top"}, {"name": ""}]}
    with pytest.raises(SpecificationError, match="sample '': a name") as caught:
        parse_each(document, "samples", parsed)
    assert caught.value.pointer == "/samples/1/name"


def test_so_many_are_needed():
    assert parse_each({"samples": []}, "samples", parsed, least=0) == ()
    with pytest.raises(Malformed):
        parse_each({"samples": []}, "samples", parsed)


def test_a_record_is_found_by_its_name_or_a_close_one_is_suggested():
    records = (Record("top"), Record("W"))
    assert find("sample", records, "W", "SR") is records[1]
    with pytest.raises(UnknownNameError, match=r"'topp'.* did you mean 'top'\?"):
        find("sample", records, "topp", "SR")


def test_the_second_of_two_with_one_name_is_refused():
    records = (Record("a"), Record("b"), Record("c"), Record("b"))
    words = "channel 'b' is there twice, first at /channels/1: rename one or remove it"
    with pytest.raises(SpecificationError, match=words) as caught:
        refuse_duplicates("channel", records, "/channels")
    assert caught.value.pointer == "/channels/3"
    refuse_duplicates("channel", records[:3], "/channels")


def test_what_has_to_differ_and_what_to_do_can_be_said():
    records = (Record("a", "normsys"), Record("a", "histosys"), Record("a", "normsys"))
    refuse_duplicates("modifier", records[:2], "/m", key=tuple)
    words = "modifier 'a' 'normsys' is there twice, first at /m/0: drop a"
    with pytest.raises(SpecificationError, match=words):
        refuse_duplicates("modifier", records, "/m", tuple, lambda r: f"drop {r.name}")

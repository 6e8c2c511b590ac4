"""XML is read without anything that the file does not have in it."""

import time

import pytest

from hfjax.documents.convert.xml import XmlElement, parse_xml, read_xml_file
from hfjax.errors import SpecificationError

LAUGHS = "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">'
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def refusal(text):
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(SpecificationError) as caught:
        parse_xml(content, "top.xml")
    message = str(caught.value)
    assert message.startswith("top.xml")
    assert "\n" not in message
    return message


def test_elements_know_their_place():
    root = parse_xml(b'<A>\n <B Name="x"/>\n <C>t<D/>u</C>\n</A>', "top.xml")
    assert [child.place for child in root.children] == [
        "top.xml, line 2, <B Name='x'>",
        "top.xml, line 3, <C>",
    ]
    assert root.children[1].text == "tu"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings_that_are_stated_are_read(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><A Name="ü"/>'
    assert parse_xml(text.encode(encoding), "a").attributes == {"Name": "ü"}


def test_entities_do_not_expand_into_a_billion_laughs():
    start = time.perf_counter()
    message = refusal(f'<!DOCTYPE A [<!ENTITY a "ha">{LAUGHS}]><A>&i;</A>')
    assert "line 1: the entity 'a' is not read" in message
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY x SYSTEM "{path}">',
        '<!ENTITY % x SYSTEM "{path}"> %x;',
        '<!ENTITY x PUBLIC "p" "http://127.0.0.1:1/x">',
    ],
)
def test_t34_no_external_entity_is_fetched(tmp_path, declaration):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    message = refusal(f"<!DOCTYPE A [{declaration.format(path=secret)}]><A>&x;</A>")
    assert "the entity 'x' is not read" in message


def test_t34_no_external_document_type_is_fetched():
    text = b'<!DOCTYPE A SYSTEM "http://127.0.0.1:1/HistFactorySchema.dtd"><A>a</A>'
    assert parse_xml(text, "a").text == "a"


def test_an_entity_that_an_external_document_type_may_have_is_not_skipped():
    message = refusal('<!DOCTYPE A SYSTEM "other.dtd"><A>&x;</A>')
    assert "the entity 'x' is not read" in message


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "<A>",
            "<A></B>",
            "{}",
            "<A/><B/>",
            "<A>&x;</A>",
            "<A B='1' B='2'/>",
        ),
        *(
            b"\xff\xfe\x00",
            b"<A>\xff</A>",
            b"\x00",
            "<?xml version='1.0' encoding='no'?><A/>",
        ),
    ],
)
def test_what_is_not_xml_is_refused(text):
    assert "not XML: " in refusal(text)


def test_deep_nesting_is_read():
    depth = 5_000
    root = parse_xml(b"<A>" * depth + b"</A>" * depth, "a")
    assert root.children[0].tag == "A"


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "nothing.xml", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(SpecificationError, match="cannot be read: "):
            read_xml_file(path, "A")
    (tmp_path / "b.xml").write_text("<B/>")
    with pytest.raises(SpecificationError, match="is a <B>, a <A> was expected"):
        read_xml_file(tmp_path / "b.xml", "A")


def test_attributes_that_are_empty_count_as_absent():
    element = XmlElement("A", {"x": "", "y": "2", "z": "0"})
    assert element.get("x", "default") == "default"
    assert element.number("x", 1.5) == 1.5
    assert element.number("y", 1.5) == 2.0
    assert element.truth("x", True)
    assert not element.truth("z", True)
    with pytest.raises(SpecificationError, match="has no attribute x: add it"):
        element.number("x")

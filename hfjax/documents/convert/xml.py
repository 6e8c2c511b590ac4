"""Read XML files safely: elements as frozen records that know their place.

No entity is expanded and nothing but the file itself is read: a file that declares an
entity is refused, an external document type is not looked at.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from hfjax.documents.reading.json_files import refuse_special
from hfjax.errors import SpecificationError, unknown_name

TRUTH = {"True": True, "true": True, "1": True, "False": False} | {
    "false": False,
    "0": False,
}
"""How truth is written in attributes."""


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element of an XML file.

    Attributes:
        tag: Its name.
        attributes: Its attributes; an empty one counts as absent for all methods.
        text: The text in it, without that of its children.
        children: The elements in it, in the order of the file.
        file: The file it is in.
        line: The line it begins at.
        instructions: Of an outermost element, the processing instructions before it:
            whom each is for, and what it says.
    """

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: tuple["XmlElement", ...] = ()
    file: str = ""
    line: int = 0
    instructions: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """Where the element is, for messages.

        >>> XmlElement("Sample", {"Name": "top"}, file="SR.xml", line=7).place
        "SR.xml, line 7, <Sample Name='top'>"
        """
        name = self.attributes.get("Name")
        shown = f"<{self.tag}>" if name is None else f"<{self.tag} Name={name!r}>"
        return f"{self.file}, line {self.line}, {shown}"

    def refuse(self, message: str) -> NoReturn:
        """Raise an error that says where the element is.

        Raises:
            SpecificationError: Always.
        """
        text = f"{self.place}: {message}"
        raise SpecificationError(text)

    def all(self, *tags: str) -> tuple["XmlElement", ...]:
        """Return the children with one of these names."""
        return tuple(child for child in self.children if child.tag in tags)

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute, or the default where it is absent or empty."""
        return self.attributes.get(name) or default

    def need(self, name: str) -> str:
        """Return an attribute.

        Raises:
            SpecificationError: It is absent or empty.
        """
        value = self.get(name)
        if not value:
            self.refuse(f"has no attribute {name}: add it")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return an attribute as a finite number.

        Raises:
            SpecificationError: It is none, or absent without a default.

        >>> XmlElement("Measurement", {"Lumi": "1."}).number("Lumi")
        1.0
        """
        if default is not None and not self.get(name):
            return default
        text = self.need(name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.refuse(f"{name}={text!r} is not a finite number")
        return value

    def truth(self, name: str, default: bool) -> bool:
        """Return whether an attribute is true.

        Raises:
            SpecificationError: It is neither true nor false.

        >>> XmlElement("StatError", {"Activate": "true"}).truth("Activate", False)
        True
        """
        text = self.get(name)
        if text and text not in TRUTH:
            self.refuse(f"{name}={text!r} is neither True nor False")
        return TRUTH[text] if text else default

    def refuse_unknown(self, tags: Iterable[str]) -> None:
        """Refuse children whose names are not among those that are known.

        Raises:
            UnknownNameError: A name is not known; close ones are suggested.
        """
        for child in self.children:
            if child.tag not in tags:
                error = unknown_name("element", child.tag, tags, self.place)
                raise error


@dataclass(slots=True)
class _Open:
    """An element that has begun and not ended."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: list[str] = field(default_factory=list)
    children: list[XmlElement] = field(default_factory=list)


class _Tree:
    """Puts together what the parser reports."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.parser = expat.ParserCreate()
        self.open = [_Open("", {}, 0)]
        self.instructions: list[tuple[str, str]] = []
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.ProcessingInstructionHandler = self.instruction
        self.parser.EntityDeclHandler = self.refuse_entity
        self.parser.SkippedEntityHandler = self.refuse_entity

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.open.append(_Open(tag, attributes, self.parser.CurrentLineNumber))

    def end(self, tag: str) -> None:
        del tag
        done = self.open.pop()
        text, children = "".join(done.text), tuple(done.children)
        element = XmlElement(
            done.tag, done.attributes, text, children, self.file, done.line
        )
        self.open[-1].children.append(element)

    def characters(self, text: str) -> None:
        self.open[-1].text.append(text)

    def instruction(self, target: str, text: str) -> None:
        if not self.open[0].children and len(self.open) == 1:
            self.instructions.append((target, text))

    def refuse_entity(self, name: str, *details: object) -> NoReturn:
        del details
        message = (
            f"{self.file}, line {self.parser.CurrentLineNumber}: the entity {name!r} "
            "is not read: write what it stands for in its place"
        )
        raise SpecificationError(message)


def read_xml_file(path: Path, root: str) -> XmlElement:
    """Read an XML file.

    Args:
        path: the file.
        root: the name that its outermost element must have.

    Raises:
        SpecificationError: It cannot be read, is not XML, declares entities, or its
            outermost element has another name.
    """
    try:
        refuse_special(path)
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{path}: cannot be read: {reason}"
        raise SpecificationError(message) from None
    element = parse_xml(content, str(path))
    if element.tag != root:
        element.refuse(f"the file is a <{element.tag}>, a <{root}> was expected")
    return element


def parse_xml(content: bytes, file: str) -> XmlElement:
    """Make an element of the content of an XML file.

    Args:
        content: the file's bytes.
        file: what to call the file in messages.

    Raises:
        SpecificationError: It is not XML, or declares entities.

    >>> parse_xml(b"<Input> a.xml </Input>", "top.xml").text
    ' a.xml '
    """
    tree = _Tree(file)
    try:
        tree.parser.Parse(content, True)
    except expat.ExpatError as error:
        message = (
            f"{file}: not XML: {expat.ErrorString(error.code)} at line {error.lineno}"
        )
        raise SpecificationError(message) from None
    except (LookupError, ValueError) as error:  # the encoding that it states
        message = f"{file}: not XML: {error}"
        raise SpecificationError(message) from None
    (root,) = tree.open[0].children
    return dataclasses.replace(root, instructions=tuple(tree.instructions))

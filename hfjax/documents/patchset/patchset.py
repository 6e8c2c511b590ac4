"""Patchsets: named JSON patches of one workspace, such as one for each signal point."""

import operator
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, SupportsIndex

from hfjax.documents.patchset.patching import Operation, patched
from hfjax.documents.reading.json_files import Source, naming, read_json
from hfjax.documents.reading.json_values import (
    DIGESTS,
    LABEL,
    POINTER,
    Malformed,
    Number,
    items,
    matching,
    members,
    number_or_text,
    text,
)
from hfjax.documents.reading.records import names, refuse_duplicates
from hfjax.documents.reading.schema import JSONPATCH, PATCHSET, judged
from hfjax.documents.workspace.compose import compose_document
from hfjax.documents.workspace.workspace import VERSION, Workspace
from hfjax.errors import (
    DigestError,
    SpecificationError,
    UnknownNameError,
    close_names,
    unknown_name,
)
from hfjax.json_text import write_document

_PATCHSET = frozenset({"metadata", "patches", "version"})
_METADATA = frozenset({"references", "digests", "labels", "description"})
_REFERENCES = frozenset({"hepdata"})
_PATCH = frozenset({"metadata", "patch"})
_PATCH_METADATA = frozenset({"name", "values"})
_NEEDS_VALUE = ("add", "replace", "test")
_NEEDS_FROM = ("move", "copy")


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch of a patchset.

    Attributes:
        name: The patch's name.
        values: Numbers or strings, one for each label of the patchset.
        operations: JSON-patch operations, as in the document.
        extra: What else the patch's metadata say.
    """

    name: str
    values: tuple[Number | str, ...]
    operations: tuple[Operation, ...]
    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Its name and values, and how much it does."""
        count = len(self.operations)
        return f"Patch({self.name!r}, {self.values}, {count} operations)"

    def apply(self, workspace: Workspace) -> Workspace:
        """Return the workspace with this patch applied; see `apply_patch`."""
        return apply_patch(workspace, list(self.operations), self.name)

    def dump(self) -> dict[str, Any]:
        """Return the JSON object.

        >>> Patch("m_300", (300,), ()).dump()
        {'metadata': {'name': 'm_300', 'values': [300]}, 'patch': []}
        """
        metadata = {"name": self.name, "values": list(self.values), **self.extra}
        return {"metadata": metadata, "patch": list(self.operations)}


@dataclass(frozen=True, slots=True)
class PatchSet:
    """Patches of one workspace, looked up by name, by values or by position.

    Attributes:
        labels: What the values of each patch mean, in order.
        digests: Digests of the workspace that the patches are made for, by algorithm.
        references: Where it was published: `{"hepdata": ...}`.
        description: What the patches are.
        patches: One patch or more; names and values are unique.
        version: The version of the format.
        extra: What else the metadata say.

    >>> patches = (Patch("low", (300, 50), ()), Patch("high", (900, 50), ()))
    >>> patchset = PatchSet(("m_parent", "m_lsp"), {}, {}, "a plane", patches)
    >>> patchset["high"] is patchset[1] is patchset[900.0, 50]
    True
    >>> [patch.name for patch in patchset], len(patchset)
    (['low', 'high'], 2)
    >>> patchset["hihg"]
    Traceback (most recent call last):
    ...
    hfjax.errors.UnknownNameError: no patch named 'hihg' in the patchset: did you mean \
'high'?
    """

    labels: tuple[str, ...]
    digests: dict[str, str]
    references: dict[str, str]
    description: str
    patches: tuple[Patch, ...]
    version: str = VERSION
    extra: dict[str, Any] = field(default_factory=dict)
    _known: dict[Any, Patch] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        refuse_duplicates("patch", self.patches, "/patches")
        for index, patch in enumerate(self.patches):
            if len(patch.values) != len(self.labels):
                message = (
                    f"patch {patch.name!r} has {len(patch.values)} values for the "
                    f"{len(self.labels)} labels {', '.join(self.labels)}"
                )
                raise SpecificationError(message, f"/patches/{index}/metadata/values")
        refuse_duplicates("values", self.patches, "/patches", _values)
        self._known.update({patch.name: patch for patch in self.patches})
        self._known.update({patch.values: patch for patch in self.patches})

    @classmethod
    def load(cls, source: Source, compose: bool = False) -> "PatchSet":
        """Read a patchset from a path, from "-" (standard input) or an open file.

        Args:
            source: where it is read from.
            compose: whether to compose modifiers, as `parse` does.

        Raises:
            SpecificationError: It cannot be read, is not JSON or is no patchset.
        """
        document = read_json(source)
        with naming(source):
            return cls.parse(document, compose)

    @classmethod
    def parse(cls, document: Any, compose: bool = False) -> "PatchSet":
        """Make a patchset of a JSON document.

        The values of the operations stay the document's own objects: leave it alone
        afterwards.

        Args:
            document: the document.
            compose: whether to make one modifier of several normsys or histosys with
                one name on one sample that a patch brings; see
                `hfjax.documents.workspace.compose`.

        Raises:
            SpecificationError: The document is not what the schema asks, or names or
                values are not unique, or a patch has not one value a label.
        """
        if compose:
            document = compose_document(document).document
        return judged(cls.parse_strictly, document, PATCHSET)

    @classmethod
    def parse_strictly(cls, document: Any) -> "PatchSet":
        """Make a patchset of a JSON document, as `parse` does, without its messages.

        Raises:
            SpecificationError: Names or values are not unique, or a patch has not one
                value a label.
            Malformed: The document is not what the schema asks.
        """
        members(document, _PATCHSET)
        metadata = _open_members(document["metadata"], _METADATA)
        references = members(metadata["references"], _REFERENCES)
        labels = [matching(label, LABEL) for label in items(metadata["labels"])]
        patches = [_parse_patch(value) for value in items(document["patches"])]
        if document["version"] != VERSION:
            raise Malformed
        return cls(
            tuple(labels),
            _parse_digests(metadata["digests"]),
            {"hepdata": text(references["hepdata"])},
            text(metadata["description"]),
            tuple(patches),
            extra={k: v for k, v in metadata.items() if k not in _METADATA},
        )

    def dump(self) -> dict[str, Any]:
        """Return the JSON document: equal to the one that was parsed."""
        patches = [patch.dump() for patch in self.patches]
        return {"metadata": self.metadata, "patches": patches, "version": self.version}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON document to a file."""
        write_document(self.dump(), path)

    def __repr__(self) -> str:
        """How many patches there are, what for, and the first and last of them."""
        first, last = self.patches[0], self.patches[-1]
        return (
            f"PatchSet: {len(self.patches)} patches, labels {', '.join(self.labels)}\n"
            f"  first  {first.name} {first.values}\n  last   {last.name} {last.values}"
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """What the document says of all patches together."""
        return {
            "references": dict(self.references),
            "digests": dict(self.digests),
            "labels": list(self.labels),
            "description": self.description,
            **self.extra,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches, in their order."""
        return names(self.patches)

    def __len__(self) -> int:
        return len(self.patches)

    def __iter__(self) -> Iterator[Patch]:
        return iter(self.patches)

    def __getitem__(self, key: str | SupportsIndex | Sequence[Number | str]) -> Patch:
        if isinstance(key, SupportsIndex):
            return self._at(operator.index(key))
        key = key if isinstance(key, str) else tuple(key)
        if key in self._known:
            return self._known[key]
        raise self._unknown(key)

    def _at(self, index: int) -> Patch:
        if -len(self) <= index < len(self):
            return self.patches[index]
        message = f"no patch {index} in the patchset: it has {len(self)}, from 0 on"
        raise UnknownNameError(message)

    def _unknown(self, key: str | tuple[Number | str, ...]) -> UnknownNameError:
        if isinstance(key, str):
            return unknown_name("patch", key, self.names, "the patchset")
        near = close_names(str(key), [str(patch.values) for patch in self.patches])
        hint = f"did you mean {' or '.join(near)}?" if near else "see its names"
        labels = ", ".join(self.labels)
        message = f"no patch with the values {key} of ({labels}): {hint}"
        return UnknownNameError(message)

    def verify(self, workspace: Workspace) -> None:
        """Check that the patches are made for this workspace.

        Where modifiers were composed when it was read, they may be made for the
        document as it was before: composing moves no channel and no sample.

        Raises:
            DigestError: A digest of the workspace differs from the one expected.
        """
        for algorithm, expected in self.digests.items():
            now = workspace.digest(algorithm)
            found = workspace.read_digests.get(algorithm, now)
            if expected.lower() not in (found, now):
                message = (
                    "the patchset is not made for this workspace: it expects the "
                    f"{algorithm} digest {expected}, the workspace has {found}; take "
                    "the workspace that was published with the patchset, or do without "
                    "verifying"
                )
                raise DigestError(message)

    def apply(
        self,
        workspace: Workspace,
        key: str | SupportsIndex | Sequence[Number | str],
        verify: bool = True,
    ) -> Workspace:
        """Return the workspace with one patch applied.

        Channels and samples that the patch does not touch are the same objects in both.

        Args:
            workspace: the workspace, which stays as it is.
            key: name, position or values of the patch.
            verify: whether to check first that the patches are made for the workspace.

        Raises:
            DigestError: They are not.
            UnknownNameError: There is no such patch.
            PatchError: It cannot be applied, or the result is no workspace.
        """
        if verify:
            self.verify(workspace)
        return self[key].apply(workspace)


def apply_patch(workspace: Workspace, operations: Any, name: str = "") -> Workspace:
    """Return the workspace with a JSON patch applied.

    Channels and samples that no operation touches are the same objects in both.

    Args:
        workspace: the workspace, which stays as it is.
        operations: JSON-patch operations (RFC 6902), such as the content of a file.
        name: what to call the patch in messages.

    Raises:
        SpecificationError: The operations are not what the schema asks.
        PatchError: An operation cannot be applied, or the result is no workspace.

    >>> import hfjax
    >>> top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
    >>> search = hfjax.workspace([top], {"SR": [8]})
    >>> more = {"op": "replace", "path": "/observations/0/data/0", "value": 9}
    >>> apply_patch(search, [more]).observation("SR").data
    (9,)
    """
    try:
        if isinstance(operations, dict) and "patches" in operations:
            message = (
                "this is a patchset, not a patch: choose one of its patches by name "
                "(patchset[NAME], or --patchset FILE --name NAME)"
            )
            raise SpecificationError(message)
        found = judged(_parse_operations, operations, JSONPATCH)
    except SpecificationError as error:
        raise (error.inside(name) if name else error) from None
    return patched(workspace, found, name)


def _values(patch: Patch) -> tuple[Number | str, ...]:
    return patch.values


def _parse_digests(value: Any) -> dict[str, str]:
    members(value, frozenset(), frozenset(DIGESTS))
    if not value:
        raise Malformed
    return {key: matching(found, DIGESTS[key]) for key, found in value.items()}


def _parse_patch(value: Any) -> Patch:
    members(value, _PATCH)
    metadata = _open_members(value["metadata"], _PATCH_METADATA)
    return Patch(
        matching(metadata["name"], LABEL),
        tuple([number_or_text(item) for item in items(metadata["values"], 0)]),
        _parse_operations(value["patch"]),
        {k: v for k, v in metadata.items() if k not in _PATCH_METADATA},
    )


def _open_members(value: Any, required: frozenset[str]) -> dict[str, Any]:
    """Return an object that has all required keys, and perhaps others."""
    if isinstance(value, dict) and required <= value.keys():
        return value
    raise Malformed


def _parse_operations(value: Any) -> tuple[Operation, ...]:
    return tuple([_parse_operation(item) for item in items(value, 0)])


def _parse_operation(value: Any) -> Operation:
    kind = _open_members(value, frozenset({"op", "path"}))["op"]
    matching(value["path"], POINTER)
    if kind in _NEEDS_VALUE:
        _open_members(value, frozenset({"value"}))
    elif kind in _NEEDS_FROM:
        text(_open_members(value, frozenset({"from"}))["from"])
    elif kind != "remove":
        raise Malformed
    return value

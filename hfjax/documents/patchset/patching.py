"""Apply JSON patches to workspaces, copying only what an operation touches.

An operation addresses a place in the workspace's document. Only the objects and lists
on the way to that place are opened and copied; everything beside them stays the record
that it is, and is neither copied, parsed nor checked again. What the operations mean is
left to the packages jsonpatch and jsonpointer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jsonpatch
import jsonpointer

from hfjax.documents.reading.json_values import TOO_DEEP, Malformed
from hfjax.documents.reading.schema import validate
from hfjax.documents.workspace.channel import Channel, Modifier, Observation, Sample
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.workspace import Workspace, workspace_schema
from hfjax.errors import PatchError, SpecificationError

Operation = Mapping[str, Any]
"""One operation of a JSON patch: {"op": ..., "path": ..., ...}."""

_INTO_MODIFIERS = re.compile(r"^/channels/[^/]+/samples/[^/]+/modifiers/\d")
_LOOKED_IN = re.compile(r"(?<= not found) in \{.*", re.DOTALL)
_LEAVES = (Modifier, Observation, Measurement)


class _Uncopied(dict):
    """A JSON object that `copy.deepcopy` hands on: nothing here changes it in place."""

    def __deepcopy__(self, memo: Any) -> "_Uncopied":
        return self


def patched(
    workspace: Workspace, operations: Sequence[Operation], name: str = ""
) -> Workspace:
    """Return the workspace with the operations applied.

    Args:
        workspace: the workspace, which stays as it is; channels and samples that no
            operation touches are the same objects in the result.
        operations: the operations, which stay as they are.
        name: what to call the patch in messages.

    Raises:
        PatchError: An operation cannot be applied, or the result is no workspace.
    """
    label = f"patch {name!r}" if name else "the patch"
    if workspace.composed:
        _refuse_positions(workspace, operations, label)
    try:
        found = _closed(_edited(workspace, operations, label))
    except SpecificationError as error:
        message = f"{label} gives a workspace that is not valid: {error}"
        raise PatchError(message) from error
    except RecursionError:
        message = f"{label} cannot be applied: {TOO_DEEP}"
        raise PatchError(message) from None
    return replace(found, composed=workspace.composed) if workspace.composed else found


def _refuse_positions(
    workspace: Workspace, operations: Sequence[Operation], label: str
) -> None:
    """Refuse to count modifiers where composing has left fewer of them."""
    for index, operation in enumerate(operations):
        paths = [operation["path"], operation.get("from", "")]
        if any(map(_INTO_MODIFIERS.search, paths)):
            message = (
                f"{label} cannot be applied: operation {index} ({operation['op']} "
                f"{operation['path']}) counts modifiers, of which there are fewer than "
                f"in the document, since {workspace.composed[0]} are composed: make "
                "the patch for the composed workspace"
            )
            raise PatchError(message)


def _edited(workspace: Workspace, operations: Sequence[Operation], label: str) -> Any:
    """Return the document after all operations, open where they touch it."""
    document: Any = _opened(workspace)
    for index, operation in enumerate(operations):
        try:
            document = _APPLY[operation["op"]](document, operation)
        except (
            jsonpatch.JsonPatchException,
            jsonpointer.JsonPointerException,
        ) as error:
            place = f"operation {index} ({operation['op']} {operation['path']})"
            message = f"{label} cannot be applied: {place}: {_reason(error)}"
            raise PatchError(message) from error
    return document


def _reason(error: Exception) -> str:
    """What a package says is wrong, without the object in which it looked.

    >>> _reason(jsonpointer.JsonPointerException("member 'SR' not found in {'CR': 1}"))
    "member 'SR' not found"
    """
    return _LOOKED_IN.sub("", str(error))[:300]


def _opened(value: Any) -> Any:
    """Return one level of a value as a new dict or list; other values as they are."""
    if isinstance(value, Workspace):
        return {
            "channels": list(value.channels),
            "measurements": list(value.measurements),
            "observations": list(value.observations),
            "version": value.version,
        }
    if isinstance(value, Channel):
        return {"name": value.name, "samples": list(value.samples)}
    if isinstance(value, Sample):
        data, modifiers = list(value.data), list(value.modifiers)
        return {"name": value.name, "data": data, "modifiers": modifiers}
    if isinstance(value, _LEAVES):
        return value.dump()
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list) else value


def _closed(document: Any) -> Workspace:
    try:
        return Workspace.parse_strictly(document)
    except Malformed:
        validate(_plain(document), workspace_schema(document))
        message = "no workspace"  # not reached: the schema refuses what is malformed
        raise SpecificationError(message) from None


def _plain(value: Any) -> Any:
    """Return a value with all its records as JSON."""
    if isinstance(value, (Channel, Sample, *_LEAVES)):
        return value.dump()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _found(document: Any, path: str) -> Any:
    """Return the value at a path, opening nothing for good."""
    pointer = jsonpointer.JsonPointer(path)
    for part in pointer.parts:
        document = pointer.walk(_opened(document), part)
    if isinstance(document, jsonpointer.EndOfList):
        message = "'-' is the place after the end of a list, where nothing is"
        raise jsonpointer.JsonPointerException(message)
    return document


def _with_open_way(document: Any, path: str) -> Any:
    """Return the document with new, open objects and lists on the way to a path."""
    pointer = jsonpointer.JsonPointer(path)
    parent: Any = _opened(document)
    document = parent
    for part in pointer.parts[:-1]:
        child = _opened(pointer.walk(parent, part))
        if not isinstance(child, (dict, list)):
            break  # nothing can be inside, as jsonpatch will say
        parent[pointer.get_part(parent, part)] = child
        parent = child
    return document


def _write(kind: Callable[..., Any]) -> Callable[[Any, Operation], Any]:
    def apply(document: Any, operation: Operation) -> Any:
        value = operation.get("value")
        if isinstance(value, dict):
            operation = {**operation, "value": _Uncopied(value)}
        return kind(operation).apply(_with_open_way(document, operation["path"]))

    return apply


_add = _write(jsonpatch.AddOperation)
_replace = _write(jsonpatch.ReplaceOperation)
_remove = _write(jsonpatch.RemoveOperation)


def _test(document: Any, operation: Operation) -> Any:
    value = _plain(_found(document, operation["path"]))
    jsonpatch.TestOperation({**operation, "path": ""}).apply(value)
    return document


def _copy(document: Any, operation: Operation) -> Any:
    value = _found(document, operation["from"])
    return _add(document, {"path": operation["path"], "value": value})


def _move(document: Any, operation: Operation) -> Any:
    target, source = operation["path"], operation["from"]
    value = _found(document, source)
    if target == source:
        return document
    if target.startswith(f"{source}/"):
        message = f"{source or 'the whole document'} cannot move into itself"
        raise jsonpatch.JsonPatchConflict(message)
    return _add(_remove(document, {"path": source}), {"path": target, "value": value})


_APPLY = {
    "add": _add,
    "replace": _replace,
    "remove": _remove,
    "test": _test,
    "copy": _copy,
    "move": _move,
}

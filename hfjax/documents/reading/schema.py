"""Find and apply the bundled JSON schemas; failures as JSON pointers.

The schemas are files in `schemas/` and refer to one another by relative paths. They are
read from there and nowhere else: no address is ever fetched. Those of the extended
format refer to the plain ones for what they do not change.
"""

import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from hfjax.documents.reading.json_values import TOO_DEEP, Malformed, is_number
from hfjax.errors import SpecificationError, unknown_name

Parsed = TypeVar("Parsed")

WORKSPACE = "1.0.0/workspace.json"
EXTENDED_WORKSPACE = "1.0.0+hfjax.1/workspace.json"
EXTENDED_MEASUREMENT = "1.0.0+hfjax.1/measurement.json"
MODEL = "1.0.0/model.json"
MEASUREMENT = "1.0.0/measurement.json"
PATCHSET = "1.0.0/patchset.json"
JSONPATCH = "1.0.0/jsonpatch.json"
SIGNALS = "signals-1.0.0.json"
HS3 = "hs3/0.2.json"


@functools.cache
def schema_folder() -> Path:
    """Return the folder of the schemas: in the package, or beside it in a checkout.

    >>> (schema_folder() / "1.0.0" / "workspace.json").is_file()
    True
    """
    package = Path(__file__).parents[2]
    for folder in (package / "schemas", package.parent / "schemas"):
        if folder.is_dir():
            return folder
    message = f"no JSON schemas beside {package}: the installation is not complete"
    raise SpecificationError(message)


def schema_names() -> tuple[str, ...]:
    """Return the names of the schemas, as `validate` takes them.

    >>> "1.0.0/patchset.json" in schema_names()
    True
    """
    folder = schema_folder()
    return tuple(
        sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.json"))
    )


def pointer(place: Iterable[str | int]) -> str:
    """Return the JSON pointer to a place in a document.

    >>> pointer(["channels", 0, "a/b"])
    '/channels/0/a~1b'
    """
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in place)
    return "".join(f"/{part}" for part in parts)


def validate(document: Any, schema: str) -> None:
    """Check a document with a schema.

    Args:
        document: a JSON document.
        schema: the schema's path inside `schemas/`, such as "1.0.0/workspace.json".

    Raises:
        SpecificationError: The document is not what the schema asks; `pointer` says
            where.

    >>> validate([{"op": "remove", "path": "/channels/0"}], JSONPATCH)
    >>> validate([{"op": "remove"}], JSONPATCH)
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: 'path' is a required property (at /0)
    """
    try:
        error = next(map(_telling, _validator(schema).iter_errors(document)), None)
        message = _words(error) if error else ""
    except RecursionError:
        raise SpecificationError(TOO_DEEP) from None
    if error and schema != HS3 and is_hs3(document):
        raise SpecificationError(_HS3_FIRST)
    if error:
        hint = "" if error.absolute_path else likeness(document, schema)
        raise SpecificationError(message + hint, pointer(error.absolute_path))


def judged(parse: Callable[[Any], Parsed], document: Any, schema: str) -> Parsed:
    """Parse a document strictly; where it is malformed, let its schema say why.

    Args:
        parse: makes something of the document, or raises `Malformed`.
        document: a JSON document.
        schema: the schema's path inside `schemas/`, which accepts what `parse` does.

    Raises:
        SpecificationError: The document is not what the schema asks.

    >>> from hfjax.documents.reading.json_values import items
    >>> judged(items, [{"op": "remove", "path": "/channels/0"}], JSONPATCH)
    [{'op': 'remove', 'path': '/channels/0'}]
    """
    try:
        return parse(document)
    except Malformed:
        validate(document, schema)
        message = f"refused, but not by its schema {schema}"  # they agree, a test says
        raise SpecificationError(message) from None


@functools.cache
def _validator(schema: str) -> Any:
    # slow to import, and needed for wrong documents only
    import jsonschema.validators
    import referencing.jsonschema

    if schema not in schema_names():
        error = unknown_name("JSON schema", schema, schema_names(), "hfjax")
        raise error
    resources = [(name, _read(name)) for name in schema_names()]
    registry = referencing.Registry().with_contents(
        resources, default_specification=referencing.jsonschema.DRAFT6
    )
    kind = jsonschema.validators.Draft6Validator
    types = kind.TYPE_CHECKER.redefine("number", lambda _, value: is_number(value))
    extended = jsonschema.validators.extend(kind, type_checker=types)
    return extended({"$ref": schema}, registry=registry)


def _read(name: str) -> Any:
    schema = json.loads((schema_folder() / name).read_text(encoding="utf-8"))
    del schema["$schema"]  # all are draft-06; said there, it undoes our type checker
    return schema


def _telling(error: Any) -> Any:
    """Choose, below an error, the one that tells most: in the branch that was meant.

    A modifier fails every alternative of the schema but one because of its type, and a
    list every alternative that is an object; what is wrong with it is what its own
    alternative says.
    """
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [found for found in branches.values() if not any(map(_is_tag, found))]
    return _telling(meant[0][0]) if len(meant) == 1 else error


def _is_tag(error: Any) -> bool:
    path = list(error.relative_path)
    return path in (["type"], ["op"]) or (not path and error.validator == "type")


def _words(error: Any) -> str:
    """Return the message without the whole of a large wrong value in it."""
    value = repr(error.instance)
    message = error.message
    if type(error.instance) is int and "'number'" in message:
        what = f"a whole number of {len(value)} digits is too large to be computed with"
        return f"{what}: numbers end at 1.8e308"
    if len(value) > 80 and message.startswith(value):
        return f"{value[:60]} ... {value[-10:]}{message[len(value) :]}"
    return message


_KINDS = (
    ("patches", "a patchset", "patchset"),
    ("measurements", "a workspace", "workspace"),
    ("patch", "a patch with its metadata", ""),
)
"""Keys that tell what a document is, in words, and the schema of its own."""
_HS3_FIRST = (
    "this is an HS3 document: make a workspace of it first, with `hfjax convert "
    "INPUT workspace.json`"
)


def is_hs3(document: Any) -> bool:
    """Tell HS3 documents from others.

    >>> is_hs3({"metadata": {"hs3_version": "0.2"}}), is_hs3({"channels": []})
    (True, False)
    """
    keys = document.keys() if isinstance(document, dict) else ()
    metadata = document["metadata"] if "metadata" in keys else None
    versioned = isinstance(metadata, dict) and "hs3_version" in metadata
    return versioned or "distributions" in keys


def likeness(document: Any, schema: str) -> str:
    """Say what a document looks like that is not what was asked for."""
    if isinstance(document, list):
        first = document[0] if document else None
        is_patch = isinstance(first, dict) and "op" in first
        return "; this looks like a JSON patch" if is_patch else ""
    keys = document.keys() if isinstance(document, dict) else ()
    found = next((kind for kind in _KINDS if kind[0] in keys), None)
    if not found or found[2] == Path(schema).stem:
        return ""
    return f"; this looks like {found[1]}"

"""What warmup has compiled, as tables for people."""

from collections.abc import Iterator

from hfjax.tables.parts import Document, Parts, facts, table


def warmup_parts(document: Document) -> Parts:
    """The programs of each command, how many were compiled, and the folder.

    Args:
        document: of `hfjax warmup`.
    """
    columns = {"workspace": "left", "command": "left", "program": "left"}
    yield table(columns | {"seconds": "right", "": "left"}, _rows(document))
    programs = [use for each in document["commands"] for use in each["programs"]]
    now = sum(use["kept"] == "kept now" for use in programs)
    yield facts({"compiled": str(now), "kept in": document["folder"]})


def _rows(document: Document) -> Iterator[tuple[str, str, str, str, str]]:
    for each in document["commands"]:
        place = each["workspace"], each["command"]
        if not (each["programs"] or each["message"]):  # JAX does not tell of its own
            yield *place, "all", _seconds(each), ""
        for use in each["programs"]:
            name = use["name"].removeprefix("hfjax.")
            yield *place, name, _seconds(use), use["kept"]


def _seconds(timed: Document) -> str:
    return f"{timed['seconds']:.2f}"

"""Modifiers that a conversion composes, with a note on each."""

from typing import Any

from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.workspace.compose import compose_document


def compose_and_note(document: Any, remarks: Remarks) -> Any:
    """Return a document composed as `compose_document` does, and note what was.

    >>> remarks = Remarks()
    >>> compose_and_note({"channels": []}, remarks), remarks.report("json2hs3").notes
    ({'channels': []}, ())
    """
    composed = compose_document(document)
    for place, what in composed.places:
        remarks.noted("composed", place, what)
    return composed.document

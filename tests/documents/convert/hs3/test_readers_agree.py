"""Independent readers give our HS3 documents the density that we give them."""

import json

import pytest

from hfjax.documents.convert.hs3.columns import columns
from hfjax.documents.convert.hs3.read import read_hs3
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.convert.hs3.write import write_hs3
from hfjax.documents.workspace.workspace import Workspace
from tests.reference.histfactory import HistFactory
from tests.reference.hs3_readers import CASES, NUMBERS, documents

DOCUMENTS = documents()
SHIFTS = {("shapesys", "pyhs3"): -8.53810033e-05}
"""Differences that are the same at all points: pyhs3 rounds ln tau! to single."""

PAIRS = [(case, reader) for case, readers in CASES.items() for reader in readers]


@pytest.mark.parametrize(("case", "reader"), PAIRS)
def test_density_agrees(case, reader):
    numbers = json.loads(NUMBERS.read_text())[case]
    workspace = Workspace.parse(DOCUMENTS[case])
    document = write_hs3(workspace, ShapeSysValues.ABSOLUTE)
    model = HistFactory(read_hs3(document).workspace.dump())
    names = [name for column in columns(workspace).values() for name in column.names]
    found = [model.logpdf([at[name] for name in names]) for at in numbers["points"]]
    shifts = [a - b for a, b in zip(found, numbers[reader], strict=True)]
    assert shifts == pytest.approx([SHIFTS.get((case, reader), 0.0)] * 4, abs=2e-10)

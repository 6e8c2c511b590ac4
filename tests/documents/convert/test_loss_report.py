import io
import json
from pathlib import Path

import pytest

from hfjax.documents.convert import loss_report
from hfjax.documents.convert.loss_report import (
    LOSSES,
    NOTES,
    SCHEMA,
    Remarks,
    load_binning,
)
from hfjax.documents.reading.schema import validate
from hfjax.errors import SpecificationError


def some():
    remarks = Remarks()
    remarks.lost("bounds", "/a", "[-1, 1] of jes")
    remarks.lost("bounds", "/b", "[-2, 2] of jer")
    remarks.lost("bounds", "/a", "[-1, 1] of jes")
    remarks.lost("auxdata", "/c", "[1] of jes")
    remarks.noted("no-poi", "/measurements/0", "no poi")
    return remarks.report("json2xml", {"SR": (0, 1.5)})


def test_each_remark_is_there_once_in_its_list():
    report = some()
    assert [remark.place for remark in report.losses] == ["/a", "/b", "/c"]
    assert [remark.kind for remark in report.notes] == ["no-poi"]


def test_the_report_is_what_its_schema_says():
    document = json.loads(json.dumps(some().dump()))
    validate(document, SCHEMA)
    document["losses"][0]["kind"] = "Some Kind"
    with pytest.raises(SpecificationError, match="/losses/0/kind"):
        validate(document, SCHEMA)


def test_the_summary_has_a_line_for_each_kind():
    assert some().summary() == (
        "lost bounds (2 times): [-1, 1] of jes at /a",
        "lost auxdata: [1] of jes at /c",
        "note on no-poi: no poi at /measurements/0",
    )


def test_losses_are_refused_and_notes_not():
    with pytest.raises(SpecificationError, match=r"lost bounds: .* at /a, and 2 more"):
        some().refuse_losses()
    remarks = Remarks()
    remarks.noted("no-poi", "/measurements/0", "no poi")
    remarks.report("json2xml").refuse_losses()


def test_binning_is_read_from_a_report_only():
    assert load_binning(io.StringIO(json.dumps(some().dump()))) == {"SR": (0, 1.5)}
    with pytest.raises(SpecificationError, match="'direction' is a required property"):
        load_binning(io.StringIO('{"SR": [0, 1]}'))


@pytest.mark.parametrize("kind", [*LOSSES, *NOTES])
def test_every_kind_is_used(kind):
    folder = Path(loss_report.__file__).parent
    paths = set(folder.rglob("*.py")) - {Path(loss_report.__file__)}
    sources = [path.read_text() for path in paths]
    assert any(f'"{kind}"' in source or f"'{kind}'" in source for source in sources)

import json

import pytest

from hfjax.documents.convert.formats import (
    Format,
    Imported,
    export_workspace,
    import_workspace,
)
from hfjax.documents.convert.histfactory.write import XmlExport, write_xml
from hfjax.documents.convert.loss_report import LossReport
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError
from tests import workspaces

WORKSPACE = Workspace.parse(workspaces.two_bins())
HERE = Imported(WORKSPACE, Format.JSON, LossReport("json2json"))


@pytest.mark.parametrize("form", [Format.JSON, Format.HS3])
@pytest.mark.parametrize("told", [True, False])
def test_format_is_told_by_the_content(tmp_path, form, told):
    exported = export_workspace(HERE, form)
    path = tmp_path / "document"
    path.write_text(json.dumps(exported.content))
    imported = import_workspace(str(path), form if told else None)
    assert imported.workspace == WORKSPACE
    assert imported.format is form
    assert exported.report.direction == f"json2{form}"


def test_xml_is_told_by_its_ending(tmp_path):
    write_xml(WORKSPACE, tmp_path)
    imported = import_workspace(str(tmp_path / "FitConfig.xml"))
    assert imported.format is Format.XML
    exported = export_workspace(imported, Format.XML)
    assert isinstance(exported.content, XmlExport)
    assert exported.report.direction == "xml2xml"


def test_losses_of_both_ways_are_together():
    bounds = workspaces.two_bins()
    parameters = [{"name": "uncorr_bkguncrt", "bounds": [[0, 5], [0, 6]]}]
    bounds["measurements"][0]["config"]["parameters"] = parameters
    report = LossReport("hs32json", binning={"singlechannel": (0, 1, 5)})
    imported = Imported(Workspace.parse(bounds), Format.HS3, report)
    exported = export_workspace(imported, Format.XML)
    assert {loss.kind for loss in exported.report.losses} == {"bounds"}
    assert exported.report.binning == {"singlechannel": (0, 1, 5)}


def test_errors_name_the_source(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{"distributions": []}')
    with pytest.raises(SpecificationError, match=r"broken\.json: 'metadata' is a req"):
        import_workspace(str(path))

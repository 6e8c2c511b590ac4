"""Ranges of parameters in HistFactory XML: ROOT's are read, those of JSON kept."""

import copy
import json

import pytest

from hfjax import fit
from hfjax.building.build import build
from hfjax.documents.convert.histfactory.read import XmlSettings, read_xml
from hfjax.documents.convert.histfactory.write import write_xml
from hfjax.documents.convert.root_histograms import write_histograms
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError
from tests import workspaces
from tests.documents.convert.histfactory.xml_inputs import (
    HISTOGRAMS,
    entry,
    histogram,
    imported,
    measurement,
    top_sample,
    write_input,
)

DATA_DRIVEN = "xml/xmlimport_input/config/examples/example_DataDriven.xml"
LARGE = HISTOGRAMS | {"relative": histogram(0.1, 2.5)}
CONFIG = '<StatErrorConfig RelErrorThreshold="0" ConstraintType="Gaussian"/>'
SHAPEFACTOR = '<ShapeFactor Name="free"/>'
SHAPESYS = '<ShapeSys Name="fakes" HistoName="relative" ConstraintType="Poisson"/>'
STATERROR = '<StatError Activate="True" HistoName="relative"/>'
NORMSYS = '<OverallSys Name="jes" Low="0.9" High="1.1"/>'
HISTOSYS = '<HistoSys Name="jes" HistoNameLow="top_low" HistoNameHigh="top_high"/>'


@pytest.mark.slow
def test_the_data_driven_example_of_root_has_its_best_fit(data_dir):
    """The data want factors of bins far beyond 10, where the default would cut."""
    model, data = build(read_xml(data_dir / DATA_DRIVEN).workspace())
    best = dict(zip(model.parameters.names, fit(model, data).params, strict=True))
    assert float(best["SigXsecOverSM"]) == pytest.approx(0.944, abs=5e-4)
    assert float(best["Bkg2Shape[0]"]) > 50


def test_what_pyhf_reads_keeps_the_default(data_dir):
    found = read_xml(data_dir / DATA_DRIVEN, XmlSettings(plain=True)).workspace()
    assert found.measurements[0].parameter("Bkg2Shape") is None


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    write_histograms(tmp_path / "data" / "data.root", LARGE)
    return tmp_path


@pytest.mark.parametrize(
    ("inside", "name", "bounds"),
    [
        (SHAPEFACTOR, "free", [[0, 1000]] * 2),
        (SHAPESYS, "fakes", [[1e-10, 10], [1e-10, 13.5]]),
        (STATERROR, "staterror_SR", [[1e-10, 10], [1e-10, 13.5]]),
        ("", "lumi", [[0, 20]]),
        ("", "mu", [[0, 3]]),
    ],
)
def test_ranges_of_root_that_are_wider_are_read(folder, inside, name, bounds):
    found = entry(imported(write_input(folder, CONFIG, top_sample(inside))), name)
    assert found is not None
    assert found["bounds"] == [pytest.approx(pair) for pair in bounds]


@pytest.mark.parametrize("inside", [NORMSYS, HISTOSYS])
def test_ranges_that_are_the_same_are_not_stated(folder, inside):
    path = write_input(folder, CONFIG, top_sample(inside))
    assert entry(imported(path), "jes") is None


def test_small_uncertainties_keep_the_wider_default(tmp_path):
    small = STATERROR.replace("relative", "shape")  # 1.5 and 0.5: below 10
    path = write_input(tmp_path, CONFIG, top_sample(small))
    assert entry(imported(path), "staterror_SR") is None


@pytest.mark.parametrize("relative", [0.1, 0.5, 3.0])
def test_terms_that_are_not_gaussian_have_the_range_of_beta(tmp_path, relative):
    for kind, low, high in [
        ("Gamma", 0.0, 10.0),
        ("LogNormal", (1 + relative) ** -5.0, (1 + relative) ** 5.0),
    ]:
        term = f'<ConstraintTerm Type="{kind}" RelativeUncertainty="{relative}">'
        inside = f"{term}jes</ConstraintTerm>"
        parts = (CONFIG, top_sample(NORMSYS))
        path = write_input(tmp_path, *parts, measurements=measurement(inside))
        found = entry(imported(path), "jes")
        assert found is not None
        ((lowest, highest),) = found.get("bounds", [[-5, 5]])
        wider = (low - 1) / relative < -5 or (high - 1) / relative > 5
        assert ("bounds" in found) == wider
        if wider:
            assert 1 + relative * lowest == pytest.approx(low, abs=1e-12)
            assert 1 + relative * highest == pytest.approx(high)


# -- from JSON and back ------------------------------------------------------------


def with_settings(*settings):
    """A workspace with a staterror and a shapefactor of its own names."""
    document = copy.deepcopy(workspaces.two_bins())
    (channel,) = document["channels"]
    background = channel["samples"][1]
    background["modifiers"] += [
        {"name": "free", "type": "shapefactor", "data": None},
        {"name": "stat", "type": "staterror", "data": [1.0, 2.0]},
        {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
    ]
    document["measurements"][0]["config"]["parameters"] = list(settings)
    return document


def there_and_back(document, folder):
    """What comes back, and the remarks of writing it."""
    report = write_xml(Workspace.parse(document), folder)
    return read_xml(folder / "FitConfig.xml").workspace(), report


STAT = f"staterror_{workspaces.two_bins()['channels'][0]['name']}"

RANGES = {
    "none": [],
    "ROOT's": [{"name": "free", "bounds": [[0, 1000]] * 2}],
    "others": [
        {"name": "free", "bounds": [[0, 20], [0.5, 3]]},
        {"name": "stat", "bounds": [[0.5, 2], [0.1, 40]]},
        {"name": "jes", "bounds": [[-1, 2]]},
    ],
}


@pytest.mark.parametrize("title", RANGES)
def test_ranges_come_back(tmp_path, title):
    document = with_settings(*RANGES[title])
    back, _ = there_and_back(document, tmp_path)
    known = {each["name"]: each.get("bounds") for each in RANGES[title]}
    for name in ("free", "jes", "stat"):
        back_name = STAT if name == "stat" else name
        found = back.measurements[0].parameter(back_name)
        stated = found.dump().get("bounds") if found is not None else None
        assert stated == known.get(name)


def test_what_root_changes_is_noted(tmp_path):
    settings = [{"name": "jes", "bounds": [[-5, 5]]}]
    _, report = there_and_back(with_settings(*settings), tmp_path)
    notes = {each.what for each in report.notes if each.kind == "range"}
    assert "bin 0 of 'free' has [0, 10], in ROOT [0, 1000], and 1 more bins" in notes
    assert not any("'jes'" in each for each in notes)
    assert {each.kind for each in report.losses} == {"staterror-name"}


def test_explicit_bounds_that_root_lacks_are_a_loss(tmp_path):
    _, report = there_and_back(with_settings(*RANGES["others"]), tmp_path)
    lost = [each.what for each in report.losses if each.kind == "bounds"]
    assert [what.rpartition(" of ")[2] for what in lost] == [
        "'free'",
        "'jes'",
        "'stat'",
    ]
    assert "'jes' has [-1, 2], in ROOT [-5, 5]" in {each.what for each in report.notes}


def test_each_measurement_keeps_its_range_of_a_normfactor(tmp_path):
    document = with_settings()
    second = copy.deepcopy(document["measurements"][0]) | {"name": "wide"}
    second["config"]["parameters"] = [{"name": "mu", "bounds": [[-5, 50]]}]
    document["measurements"].append(second)
    back, _ = there_and_back(document, tmp_path)
    pairs = [each.parameter("mu") for each in back.measurements]
    assert [pair.bounds for pair in pairs if pair] == [((0.0, 10.0),), ((-5, 50),)]


def test_names_cannot_end_the_instruction(tmp_path):
    document = json.loads(json.dumps(with_settings()).replace('"free"', '"a ?> <b>"'))
    back, _ = there_and_back(document, tmp_path)
    assert back.measurements[0].parameter("a ?> <b>") is None  # its default, [0, 10]


def test_the_plain_reading_passes_over_the_instruction(tmp_path):
    write_xml(Workspace.parse(with_settings(*RANGES["others"])), tmp_path)
    path = tmp_path / "FitConfig.xml"
    assert path.read_text().startswith("<?hfjax {")
    found = read_xml(path, XmlSettings(plain=True)).workspace()
    assert found.measurements[0].parameter("free") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"measurement": {"free": [[0, 10]]}}', "has 1 ranges of 'free', which has 2"),
        ('{"measurement": {"free": [[0]]}}', "has no ranges of parameters: remove it"),
        ('{"measurement": {"free": [[0, NaN]]}}', "has no ranges of parameters"),
        ('{"measurement": []}', "has no ranges of parameters"),
        ("{", "has no ranges of parameters"),
        ("[" * 20000, "has no ranges of parameters"),
    ],
)
def test_an_instruction_that_does_not_fit_is_refused(tmp_path, text, message):
    document = with_settings()
    document["measurements"][0]["name"] = "measurement"
    write_xml(Workspace.parse(document), tmp_path)
    path = tmp_path / "FitConfig.xml"
    _, _, rest = path.read_text().partition("?>\n")
    path.write_text(f"<?hfjax {text}?>\n{rest}")
    with pytest.raises(SpecificationError, match="<Combination>") as error:
        read_xml(path)
    assert message in str(error.value)

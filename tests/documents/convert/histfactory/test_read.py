"""Reading HistFactory XML: what is read, what is noted, what is refused."""

import math
import shutil

import pytest

from hfjax.building.build import build
from hfjax.documents.convert.histfactory.read import XmlSettings, read_xml
from hfjax.errors import SpecificationError, UnknownNameError
from tests.documents.convert.histfactory.xml_inputs import (
    EDGES,
    HISTOGRAMS,
    STATED,
    entry,
    histogram,
    imported,
    in_folder,
    lost,
    measurement,
    modifiers,
    noted,
    rows,
    top_sample,
    write_histograms,
    write_input,
    write_objects,
)

STATERROR = top_sample('<StatError Activate="True"/>')
NORMSYS = top_sample('<OverallSys Name="jes" Low="0.9" High="1.2"/>')


def refusal(path, **settings):
    """The message of the error that reading ends with."""
    with pytest.raises((SpecificationError, UnknownNameError)) as caught:
        read_xml(path, XmlSettings(**settings))
    message = str(caught.value)
    assert "\n" not in message
    return message


# -- what is read ------------------------------------------------------------------


def test_all_modifiers_are_read(tmp_path):
    path = write_input(
        tmp_path,
        STATED,
        top_sample(
            '<OverallSys Name="jes" Low="0.9" High="1.2"/>'
            '<HistoSys Name="jes" HistoNameLow="top_low" HistoNameHigh="top_high"/>'
            '<ShapeSys Name="fakes" HistoName="relative" ConstraintType="Poisson"/>'
            '<ShapeFactor Name="free"/>'
            '<StatError Activate="True"/>'
        ),
    )
    found = imported(path)
    (channel,) = found.document["channels"]
    top, signal = channel["samples"]
    assert signal == {
        "name": "signal",
        "data": [5.0, 10.0],
        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
    }
    assert top["modifiers"] == [
        {"name": "lumi", "type": "lumi", "data": None},
        {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.2}},
        {
            "name": "jes",
            "type": "histosys",
            "data": {"lo_data": [35.0, 48.0], "hi_data": [44.0, 55.0]},
        },
        {"name": "fakes", "type": "shapesys", "data": [4.0, 12.5]},
        {"name": "free", "type": "shapefactor", "data": None},
        {"name": "staterror_SR", "type": "staterror", "data": [3.0, 2.0]},
    ]
    assert found.document["observations"] == [{"name": "SR", "data": [50.0, 60.0]}]
    assert found.document["version"] == "1.0.0"


def test_an_import_that_loses_nothing_has_an_empty_report(tmp_path):
    report = imported(write_input(tmp_path, STATED, STATERROR)).report
    assert report.losses == report.notes == report.summary() == ()
    report.refuse_losses()


def test_edges_of_bins_are_in_the_report(tmp_path):
    report = imported(write_input(tmp_path, STATERROR)).report
    assert report.binning == {"SR": EDGES}


def test_t25_the_luminosity_has_an_absolute_width_in_every_measurement(tmp_path):
    both = measurement() + measurement(name="n")
    found = imported(write_input(tmp_path, measurements=both))
    lumi = {
        "name": "lumi",
        "auxdata": [2.0],
        "bounds": [[0.0, 20.0]],
        "inits": [2.0],
        "sigmas": [0.2],
    }
    assert entry(found, "lumi", 0) == entry(found, "lumi", 1) == lumi


WIDE = {"bounds": [[0, 1000]] * 2}
"""ROOT's range of a ShapeFactor."""

KNOWN = measurement().replace('LumiRelErr="0.1"', 'LumiRelErr="0"')


@pytest.mark.parametrize("stated", [False, True])
def test_t25_a_luminosity_without_uncertainty_is_fixed(tmp_path, stated):
    """pyhf takes it for a Gaussian of no width, and its likelihood is NaN."""
    setting = '<ParamSetting Const="True">Lumi</ParamSetting>' if stated else ""
    known = KNOWN.replace("</Measurement>", f"{setting}</Measurement>")
    found = imported(write_input(tmp_path, STATED, NORMSYS, measurements=known))
    lumi = entry(found, "lumi")
    assert (lumi["sigmas"], lumi["bounds"], lumi["fixed"]) == ([0.0], [[0, 20]], True)
    assert list(noted(found)) == ([] if stated else ["lumi-known"])
    model, data = build(found.workspace())
    params = model.parameters.init
    exact = imported(write_input(tmp_path, STATED, NORMSYS)).workspace()
    other, _ = build(exact)  # whose term is wider than 1 by a factor of 0.2
    difference = model.logpdf(params, data) - other.logpdf(params, data)
    assert float(difference) == pytest.approx(math.log(0.2), rel=1e-12)


def test_t25_a_luminosity_of_zero_is_not_taken_for_known(tmp_path):
    none = measurement().replace('Lumi="2"', 'Lumi="0"')
    found = imported(write_input(tmp_path, measurements=none))
    assert entry(found, "lumi")["auxdata"] == [0.0]
    assert "fixed" not in entry(found, "lumi")


def test_t25_a_negative_uncertainty_of_the_luminosity_is_refused(tmp_path):
    negative = measurement().replace('LumiRelErr="0.1"', 'LumiRelErr="-0.1"')
    message = refusal(write_input(tmp_path, measurements=negative))
    assert "<Measurement Name='m'>: LumiRelErr=-0.1 is negative" in message


def test_a_norm_factor_brings_value_and_range(tmp_path):
    found = imported(write_input(tmp_path))
    mu = {"name": "mu", "inits": [1.0], "bounds": [[0.0, 3.0]]}
    assert entry(found, "mu") == mu


def test_the_uncertainty_of_unweighted_histograms_is_the_root_of_their_content(
    tmp_path,
):
    unweighted = HISTOGRAMS | {"top": histogram(49.0, 20.0)}
    (tmp_path / "data").mkdir()
    write_histograms(tmp_path / "data" / "data.root", unweighted)
    found = imported(write_input(tmp_path, STATERROR))
    assert modifiers(found)["staterror_SR"] == [7.0, 20.0**0.5]


# -- what pyhf leaves away ---------------------------------------------------------


def test_t12_kind_and_threshold_of_staterrors_are_read(tmp_path):
    config = '<StatErrorConfig RelErrorThreshold="0.05" ConstraintType="Poisson"/>'
    both = measurement() + measurement(name="n")
    found = imported(write_input(tmp_path, config, STATERROR, measurements=both))
    stated = {"name": "staterror_SR", "constraint": "poisson", "threshold": 0.05}
    assert entry(found, "staterror_SR", 0) == entry(found, "staterror_SR", 1) == stated
    assert found.document["version"] == "1.0.0+hfjax.1"
    assert found.report.losses == ()


def test_the_kind_of_staterrors_matters_only_where_there_are_any(tmp_path):
    config = '<StatErrorConfig RelErrorThreshold="0.05" ConstraintType="Poisson"/>'
    found = imported(write_input(tmp_path, config, top_sample("")))
    assert found.document["version"] == "1.0.0"


OPEN = top_sample(
    '<StatError Activate="True"/><ShapeSys Name="fakes" HistoName="relative"/>'
).replace('NormalizeByTheory="True"', "")


def test_what_is_not_stated_is_read_as_pyhf_does_and_noted(tmp_path):
    found = imported(write_input(tmp_path, OPEN))
    assert found.document["version"] == "1.0.0"
    assert sorted(modifiers(found)) == ["fakes", "staterror_SR"]
    assert sorted(noted(found)) == [
        "normalize-by-theory",
        "shapesys-constraint",
        "staterror-constraint",
        "staterror-threshold",
    ]
    assert found.report.losses == ()


def test_what_is_not_stated_can_be_read_as_root_does(tmp_path):
    found = imported(write_input(tmp_path, OPEN), root_defaults=True)
    assert sorted(modifiers(found)) == ["fakes", "lumi", "staterror_SR"]
    assert entry(found, "fakes") == {"name": "fakes", "constraint": "normal"}
    stated = {"name": "staterror_SR", "constraint": "poisson", "threshold": 0.05}
    assert entry(found, "staterror_SR") == stated
    assert noted(found) == []


@pytest.mark.parametrize(
    ("text", "stated"),
    [("Gaussian", "normal"), ("Gauss", "normal"), ("Poisson", None), ("Pois", None)],
)
def test_kinds_of_shapesys_are_read(tmp_path, text, stated):
    shapesys = f'<ShapeSys Name="fakes" HistoName="relative" ConstraintType="{text}"/>'
    found = imported(write_input(tmp_path, top_sample(shapesys)))
    expected = {"name": "fakes", "constraint": stated} if stated else None
    assert entry(found, "fakes") == expected


def test_an_unknown_kind_is_refused(tmp_path):
    shapesys = '<ShapeSys Name="fakes" HistoName="relative" ConstraintType="Flat"/>'
    message = refusal(write_input(tmp_path, top_sample(shapesys)))
    assert "SR.xml, line 1, <ShapeSys Name='fakes'>" in message
    assert "ConstraintType='Flat' is neither Gaussian nor Poisson" in message


def bounds(low, high):
    """The setting of the range of one parameter."""
    return {"bounds": [pytest.approx([low, high])]}


@pytest.mark.parametrize(
    ("term", "settings"),
    [
        (
            'Type="Gamma" RelativeUncertainty=".3"',
            {"constraint": "gamma", "sigmas": [0.3]} | bounds(-1 / 0.3, 9 / 0.3),
        ),
        (
            'Type="LogNormal" RelativeUncertainty="0.2"',
            {"constraint": "lognormal", "sigmas": [0.2]}
            | bounds((1.2**-5 - 1) / 0.2, (1.2**5 - 1) / 0.2),
        ),
        ('Type="Uniform" RelativeUncertainty="0.2"', {"constraint": "none"}),
        ('Type="Uniform"', {"constraint": "none"}),
    ],
)
@pytest.mark.parametrize("name", ["jes", "alpha_jes"])
def test_constraint_terms_are_read(tmp_path, term, settings, name):
    inside = f"<ConstraintTerm {term}> {name} </ConstraintTerm>"
    both = measurement(inside) + measurement(name="n")
    found = imported(write_input(tmp_path, NORMSYS, measurements=both))
    assert entry(found, "jes", 0) == {"name": "jes"} | settings
    assert entry(found, "jes", 1) is None
    assert found.document["version"] == "1.0.0+hfjax.1"
    assert found.report.losses == ()


BOTH = top_sample(
    '<OverallSys Name="jes" Low="0.9" High="1.2"/>'
    '<HistoSys Name="jes" HistoNameLow="top_low" HistoNameHigh="top_high"/>'
)


@pytest.mark.parametrize("word", ["NoConstraint", "NoSyst"])
def test_systematics_can_be_switched_off(tmp_path, word):
    """ROOT leaves an OverallSys out, whatever a ParamSetting says of it."""
    inside = (
        '<ParamSetting Val="2" Const="False">alpha_jes</ParamSetting>'
        f'<ConstraintTerm Type="{word}">jes</ConstraintTerm>'
    )
    found = imported(write_input(tmp_path, NORMSYS, measurements=measurement(inside)))
    assert entry(found, "jes") == {"name": "jes", "fixed": True}
    assert found.document["version"] == "1.0.0"
    assert "switched-off" in noted(found)
    model, _ = build(found.workspace())
    assert model.parameters.fixed[model.parameters.names.index("jes")]


def test_a_systematic_with_a_histosys_cannot_be_switched_off(tmp_path):
    inside = '<ConstraintTerm Type="NoSyst">jes</ConstraintTerm>'
    path = write_input(tmp_path, BOTH, measurements=measurement(inside))
    found = imported(path)
    assert entry(found, "jes") is None
    assert lost(found) == ["switched-off"]


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ('Type="Gamma"', "has no attribute RelativeUncertainty"),
        ('Type="Gamma" RelativeUncertainty="0"', "RelativeUncertainty is not positive"),
        ('Type="Cauchy"', "Type='Cauchy' is no kind of constraint term"),
        ("", "has no attribute Type"),
    ],
)
def test_constraint_terms_that_say_nothing_are_refused(tmp_path, term, message):
    inside = f"<ConstraintTerm {term}>jes</ConstraintTerm>"
    path = write_input(tmp_path, NORMSYS, measurements=measurement(inside))
    assert message in refusal(path)


@pytest.mark.parametrize(
    ("name", "kind"), [("nothing", "unknown-parameter"), ("mu", "constraint-term")]
)
def test_a_term_that_root_ignores_is_noted(tmp_path, name, kind):
    inside = f'<ConstraintTerm Type="Uniform">{name}</ConstraintTerm>'
    found = imported(write_input(tmp_path, measurements=measurement(inside)))
    assert kind in noted(found)
    assert found.document["version"] == "1.0.0"


def test_a_term_that_also_steers_a_histosys_is_noted(tmp_path):
    sample = top_sample(
        '<OverallSys Name="jes" Low="0.9" High="1.2"/>'
        '<HistoSys Name="jes" HistoNameLow="top_low" HistoNameHigh="top_high"/>'
    )
    inside = '<ConstraintTerm Type="Gamma" RelativeUncertainty="1">jes</ConstraintTerm>'
    path = write_input(tmp_path, sample, measurements=measurement(inside))
    found = imported(path)
    assert "constraint-term" in noted(found)
    assert entry(found, "jes") == {"name": "jes", "constraint": "gamma", "sigmas": [1]}


def test_a_plain_document_loses_kinds_and_thresholds_by_name(tmp_path):
    config = '<StatErrorConfig RelErrorThreshold="0.05" ConstraintType="Poisson"/>'
    term = '<ConstraintTerm Type="Gamma" RelativeUncertainty="1">jes</ConstraintTerm>'
    const = '<ParamSetting Const="True">alpha_jes</ParamSetting>'
    sample = top_sample(
        '<StatError Activate="True"/><OverallSys Name="jes" Low="0.9" High="1.2"/>'
    )
    path = write_input(tmp_path, config, sample, measurements=measurement(const + term))
    found = imported(path, plain=True)
    assert found.document["version"] == "1.0.0"
    assert entry(found, "staterror_SR") is None
    assert entry(found, "jes") == {"name": "jes", "fixed": True}
    assert {remark.what for remark in found.report.losses} == {
        "constraint poisson of 'staterror_SR' in 'm'",
        "threshold 0.05 of 'staterror_SR' in 'm'",
        "constraint gamma of 'jes' in 'm'",
    }
    with pytest.raises(SpecificationError, match=r"lose something: .*, and 2 more"):
        found.report.refuse_losses()


def test_initial_shapes_of_shape_factors_are_read(tmp_path):
    factor = '<ShapeFactor Name="free" HistoName="shape" Const="True"/>'
    found = imported(write_input(tmp_path, top_sample(factor)))
    free = {"name": "free", "inits": [1.5, 0.5], "fixed": True} | WIDE
    assert entry(found, "free") == free


# -- bins --------------------------------------------------------------------------


def test_all_bins_are_read_whatever_bin_low_and_bin_high_are(tmp_path):
    """ROOT does the same, and wrote BinHigh="1" into its own files for years."""
    stated = measurement(attributes='BinLow="0" BinHigh="1"')
    found = imported(write_input(tmp_path, NORMSYS, measurements=stated))
    assert found.document["observations"][0]["data"] == [50.0, 60.0]
    assert noted(found) == ["bin-range"]
    assert lost(found) == []


def test_bins_can_be_selected_and_count_from_zero(tmp_path):
    stated = measurement(attributes='BinLow="1" BinHigh="5"')
    path = write_input(tmp_path, STATED, STATERROR, measurements=stated)
    found = imported(path, select_bins=True)
    assert found.document["observations"][0]["data"] == [60.0]
    assert found.document["channels"][0]["samples"][0]["data"] == [50.0]
    assert modifiers(found)["staterror_SR"] == [2.0]
    assert found.report.binning == {"SR": (50.0, 200.0)}
    assert found.report.losses == found.report.notes == ()


@pytest.mark.parametrize(
    ("attributes", "data"), [('BinLow="1"', [60.0]), ('BinHigh="1"', [50.0])]
)
def test_one_end_of_the_bins_may_be_open(tmp_path, attributes, data):
    stated = measurement(attributes=attributes)
    found = imported(write_input(tmp_path, measurements=stated), select_bins=True)
    assert found.document["observations"][0]["data"] == data


def test_measurements_with_different_bins_keep_all(tmp_path):
    both = measurement(attributes='BinHigh="1"') + measurement(name="n")
    found = imported(write_input(tmp_path, measurements=both), select_bins=True)
    assert found.document["observations"][0]["data"] == [50.0, 60.0]
    assert lost(found) == ["bin-range"]


def test_a_selection_of_no_bins_is_refused(tmp_path):
    stated = measurement(attributes='BinLow="2" BinHigh="4"')
    message = refusal(write_input(tmp_path, measurements=stated), select_bins=True)
    assert "BinLow=2 and BinHigh=4 leave nothing of 'data', which has 2 bins" in message


def test_two_dimensions_become_a_row_in_roots_order(tmp_path):
    flat = rows([1, 2, 3], [4, 5, 6])
    write_objects(
        tmp_path / "data" / "data.root", {"data": flat, "signal": flat, "top": flat}
    )
    found = imported(write_input(tmp_path))
    assert found.document["observations"][0]["data"] == [1, 4, 2, 5, 3, 6]
    assert lost(found) == ["dimensions", "dimensions"]
    assert found.report.losses[0].what == "'data' has 2 x 3 bins"
    assert found.report.binning == {}


# -- where histograms are ----------------------------------------------------------

EVERYTHING = top_sample(
    '<HistoSys Name="jes" HistoNameLow="top_low" HistoNameHigh="top_high"/>'
    '<ShapeSys Name="fakes" HistoName="relative" ConstraintType="Poisson"/>'
    '<StatError Activate="True" HistoName="relative"/>'
    '<ShapeFactor Name="free" HistoName="shape"/>',
)


def in_data_root(tmp_path, histograms, name="data.root"):
    (tmp_path / "data").mkdir(exist_ok=True)
    write_histograms(tmp_path / "data" / name, histograms)


def test_folders_of_the_channel_are_inherited(tmp_path):
    in_data_root(tmp_path, in_folder("SR/nominal", list(HISTOGRAMS)))
    path = write_input(tmp_path, STATED, EVERYTHING, channel='HistoPath="SR/nominal"')
    found = imported(path)
    assert modifiers(found)["jes"]["lo_data"] == [35.0, 48.0]
    assert modifiers(found)["fakes"] == [4.0, 12.5]
    assert modifiers(found)["staterror_SR"] == [4.0, 12.5]
    assert entry(found, "free") == {
        "name": "free",
        "inits": [1.5, 0.5],
        "bounds": [[0, 1000]] * 2,
    }
    assert found.report.notes == ()


def test_a_samples_folder_and_file_are_inherited_by_what_is_in_it(tmp_path):
    write_input(tmp_path)
    in_data_root(tmp_path, in_folder("top", list(HISTOGRAMS)), "top.root")
    attributes = 'InputFile="./data/top.root" HistoPath="/top/"'
    sample = EVERYTHING.replace('Name="top"', f'Name="top" {attributes}', 1)
    found = imported(write_input(tmp_path, STATED, sample))
    assert modifiers(found)["jes"]["hi_data"] == [44.0, 55.0]
    assert found.report.notes == ()


def test_a_path_may_begin_with_its_file(tmp_path):
    write_input(tmp_path)
    in_data_root(tmp_path, in_folder("top", list(HISTOGRAMS)), "top.root")
    attributes = 'HistoPath="./data/top.root:/top/"'
    sample = EVERYTHING.replace('Name="top"', f'Name="top" {attributes}', 1)
    found = imported(write_input(tmp_path, STATED, sample))
    assert modifiers(found)["jes"]["hi_data"] == [44.0, 55.0]
    assert modifiers(found)["staterror_SR"] == [4.0, 12.5]
    assert found.report.notes == ()


def test_paths_of_variations_may_begin_with_their_file(tmp_path):
    write_input(tmp_path)
    in_data_root(tmp_path, {"low/l": histogram(1.0, 2.0)}, "low.root")
    in_data_root(tmp_path, {"h": histogram(3.0, 4.0)}, "high.root")
    sample = top_sample(
        '<HistoSys Name="jes" HistoPathLow="./data/low.root:/low" HistoNameLow="l" '
        'HistoPathHigh="./data/high.root:" HistoNameHigh="h"/>'
    )
    found = imported(write_input(tmp_path, sample))
    assert modifiers(found)["jes"] == {"lo_data": [1, 2], "hi_data": [3, 4]}


@pytest.mark.parametrize("file", ["HistoFile", "InputFile"])
def test_variations_name_their_own_file_and_folder(tmp_path, file):
    write_input(tmp_path)
    in_data_root(tmp_path, {"low/l": histogram(1.0, 2.0)}, "low.root")
    in_data_root(tmp_path, {"h": histogram(3.0, 4.0)}, "high.root")
    sample = top_sample(
        f'<HistoSys Name="jes" {file}Low="./data/low.root" HistoPathLow="low" '
        f'HistoNameLow="l" {file}High="./data/high.root" HistoNameHigh="h"/>'
    )
    found = imported(write_input(tmp_path, sample))
    assert modifiers(found)["jes"] == {"lo_data": [1, 2], "hi_data": [3, 4]}


@pytest.mark.parametrize("attribute", ["HistoFile", "InputFile"])
def test_a_staterror_names_its_own_file(tmp_path, attribute):
    write_input(tmp_path)
    in_data_root(tmp_path, {"errors": histogram(0.5, 0.1)}, "stat.root")
    where = f'{attribute}="./data/stat.root" HistoName="errors"'
    sample = top_sample(f'<StatError Activate="True" {where}/>')
    found = imported(write_input(tmp_path, sample))
    assert modifiers(found)["staterror_SR"] == [20.0, 5.0]


def test_a_histogram_at_the_top_is_found_as_pyhf_does_and_noted(tmp_path):
    in_data_root(tmp_path, in_folder("SR", ["data", "signal", "top"]))
    path = write_input(tmp_path, STATED, EVERYTHING, channel='HistoPath="SR"')
    found = imported(path)
    assert modifiers(found)["fakes"] == [4.0, 12.5]
    assert set(noted(found)) == {"path"}


def test_edges_that_differ_are_noted(tmp_path):
    other = histogram(5.0, 10.0)
    other = type(other)(other.values, other.errors, ((0.0, 1.0, 2.0),))
    in_data_root(tmp_path, HISTOGRAMS | {"signal": other})
    found = imported(write_input(tmp_path, top_sample("")))
    assert noted(found) == ["edges"]
    assert found.report.binning == {"SR": EDGES}


def test_mounts_stand_for_folders_of_the_xml(tmp_path):
    write_input(tmp_path)
    channel = tmp_path / "config" / "SR.xml"
    text = channel.read_text().replace("./data/", "/eos/atlas/inputs/")
    channel.write_text(text)
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    path = tmp_path / "config" / "top.xml"
    assert "/eos/atlas/inputs/data.root: cannot be read: No such file" in refusal(path)
    mounts = ((tmp_path / "elsewhere", tmp_path.__class__("/eos/atlas/inputs")),)
    found = imported(path, mounts=mounts)
    assert found.document["observations"][0]["data"] == [50.0, 60.0]


def test_the_base_folder_is_given_or_found_above_the_file(tmp_path, monkeypatch):
    path = write_input(tmp_path / "." if tmp_path.exists() else tmp_path)
    document = imported(path).document
    assert imported(path, basedir=tmp_path).document == document
    monkeypatch.chdir(tmp_path)
    assert imported(path.relative_to(tmp_path)).document == document
    message = refusal(path, basedir=tmp_path / "config")
    assert "top.xml, line 1, <Input>" in message
    assert "config/config/SR.xml: cannot be read: No such file" in message
    assert "see --basedir" in message


def test_the_current_folder_comes_before_those_of_the_file(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_input(tmp_path / name, NORMSYS if name == "two" else "")
    monkeypatch.chdir(tmp_path / "two")
    found = imported(tmp_path / "one" / "config" / "top.xml")
    assert [s["name"] for s in found.document["channels"][0]["samples"]] == [
        "top",
        "signal",
    ]


# -- settings of parameters --------------------------------------------------------

SETTABLE = top_sample(
    '<OverallSys Name="jes" Low="0.9" High="1.2"/><StatError Activate="True"/>'
    '<ShapeSys Name="fakes" HistoName="relative" ConstraintType="Poisson"/>'
    '<ShapeFactor Name="free" HistoName="shape"/>'
)


def with_settings(tmp_path, *settings):
    return write_input(
        tmp_path, STATED, SETTABLE, measurements=measurement("".join(settings))
    )


def test_parameters_are_fixed_and_set(tmp_path):
    path = with_settings(
        tmp_path,
        '<ParamSetting Const="True">Lumi   alpha_jes\n mu</ParamSetting>',
        '<ParamSetting Val="0.5">alpha_jes</ParamSetting>',
        '<ParamSetting Val="1.9">Lumi</ParamSetting>',
        '<ParamSetting Val="2" Const="False">mu</ParamSetting>',
    )
    found = imported(path)
    assert entry(found, "jes") == {"name": "jes", "fixed": True, "inits": [0.5]}
    lumi = entry(found, "lumi")
    assert (lumi["fixed"], lumi["inits"], lumi["auxdata"]) == (True, [1.9], [2.0])
    mu = {"name": "mu", "fixed": False, "inits": [2.0], "bounds": [[0.0, 3.0]]}
    assert entry(found, "mu") == mu
    assert found.report.losses == found.report.notes == ()


def test_bins_are_fixed_and_set_by_roots_names(tmp_path):
    path = with_settings(
        tmp_path,
        '<ParamSetting Const="1">gamma_stat_SR_bin_0 gamma_stat_SR_bin_1'
        "</ParamSetting>",
        '<ParamSetting Val="1.25">gamma_fakes_bin_1</ParamSetting>',
        '<ParamSetting Val="0.75">gamma_free_bin_0</ParamSetting>',
    )
    found = imported(path)
    assert entry(found, "staterror_SR") == {"name": "staterror_SR", "fixed": True}
    assert entry(found, "fakes") == {"name": "fakes", "inits": [1.0, 1.25]}
    assert entry(found, "free") == {
        "name": "free",
        "inits": [0.75, 0.5],
        "bounds": [[0, 1000]] * 2,
    }
    assert found.report.losses == found.report.notes == ()


def test_pyhfs_names_of_sets_of_bins_are_understood(tmp_path):
    const = '<ParamSetting Const="True">gamma_fakes</ParamSetting>'
    value = '<ParamSetting Val="2">gamma_free_1 gamma_fakes</ParamSetting>'
    found = imported(with_settings(tmp_path, const, value))
    assert entry(found, "fakes") == {"name": "fakes", "fixed": True, "inits": [2, 2]}
    assert entry(found, "free") == {
        "name": "free",
        "inits": [1.5, 2.0],
        "bounds": [[0, 1000]] * 2,
    }


def test_a_constant_part_of_a_set_is_a_loss(tmp_path):
    const = '<ParamSetting Const="True">gamma_fakes_bin_1</ParamSetting>'
    found = imported(with_settings(tmp_path, const))
    assert lost(found) == ["part-constant"]
    assert found.report.losses[0].what == "bins [1] of 'fakes' are constant"
    assert entry(found, "fakes") is None


def test_settings_of_unknown_parameters(tmp_path):
    names = "alpha_nothing gamma_nothing_bin_0"
    found = imported(
        with_settings(tmp_path, f'<ParamSetting Const="True">{names}</ParamSetting>')
    )
    assert (noted(found), lost(found)) == (["unknown-parameter"], ["unknown-bins"])
    assert entry(found, "nothing") == {"name": "nothing", "fixed": True}


def test_a_bin_that_does_not_exist_is_refused(tmp_path):
    const = '<ParamSetting Const="True">gamma_fakes_bin_2</ParamSetting>'
    message = refusal(with_settings(tmp_path, const))
    assert "<ParamSetting>: gamma_fakes_bin_2: its bins are 0 to 1" in message


@pytest.mark.parametrize(
    ("text", "fixed"),
    [("True", True), ("true", True), ("1", True), ("False", False), ("", None)],
)
def test_a_constant_norm_factor(tmp_path, text, fixed):
    factor = f'<NormFactor Name="k" Val="1" Low="0" High="2" Const="{text}"/>'
    found = imported(write_input(tmp_path, top_sample(factor)))
    assert entry(found, "k").get("fixed") is fixed
    assert noted(found) == (["normfactor-const"] if fixed else [])


@pytest.mark.parametrize("text", ["True", "true", "1"])
def test_truth_has_three_spellings(tmp_path, text):
    sample = top_sample(f'<StatError Activate="{text}"/>')
    sample = sample.replace('Theory="True"', f'Theory="{text}"')
    found = imported(write_input(tmp_path, STATED, sample))
    assert sorted(modifiers(found)) == ["lumi", "staterror_SR"]


def test_what_is_neither_true_nor_false_is_refused(tmp_path):
    message = refusal(write_input(tmp_path, top_sample('<StatError Activate="yes"/>')))
    assert "<StatError>: Activate='yes' is neither True nor False" in message


@pytest.mark.parametrize(
    ("element", "kinds"),
    [("<StatError/>", ["activate"]), ('<StatError Activate="False"/>', [])],
)
def test_a_staterror_that_is_not_active(tmp_path, element, kinds):
    found = imported(write_input(tmp_path, top_sample(element)))
    assert sorted(modifiers(found)) == ["lumi"]
    assert noted(found) == kinds


def test_the_first_range_of_a_norm_factor_holds_as_in_root(tmp_path):
    factor = '<NormFactor Name="mu" Val="1" Low="0" High="5"/>'
    found = imported(write_input(tmp_path, top_sample(factor)))
    assert entry(found, "mu")["bounds"] == [[0.0, 5.0]]
    assert lost(found) == ["conflict"]
    assert found.report.losses[0].what == "bounds [[0.0, 3.0]] of 'mu' in channel 'SR'"


def test_parameters_of_interest(tmp_path):
    def poi(text):
        stated = measurement().replace("<POI>mu</POI>", text)
        found = imported(write_input(tmp_path, measurements=stated))
        return found.document["measurements"][0]["config"]["poi"], found

    assert poi("<POI>\n mu </POI>")[0] == "mu"
    name, found = poi("<POI>mu nu</POI>")
    assert (name, lost(found), found.report.losses[0].what) == ("mu", ["poi"], "nu")
    name, found = poi("<POI/>")
    assert (name, noted(found)) == ("", ["no-poi"])


# -- what is lost or refused by name -----------------------------------------------


def test_more_data_sets_are_lost(tmp_path):
    other = '<Data Name="other" HistoName="top"/>'
    found = imported(write_input(tmp_path, other))
    assert found.document["observations"][0]["data"] == [50.0, 60.0]
    assert lost(found) == ["additional-data"]
    asimov = measurement('<Asimov Name="a" FixParams="mu=1"/>')
    assert lost(imported(write_input(tmp_path, measurements=asimov))) == ["asimov-data"]


def test_what_histfactory_ignores_is_lost(tmp_path):
    factor = '<HistoFactor Name="f" HistoNameLow="a" HistoNameHigh="b"/>'
    assert lost(imported(write_input(tmp_path, top_sample(factor)))) == ["histofactor"]
    found = imported(write_input(tmp_path, top_sample("", 'NormaliseByTheory="1"')))
    assert lost(found) == ["attribute"]
    assert found.report.losses[0].what == "attribute NormaliseByTheory"


def test_unknown_elements_are_refused_with_a_suggestion(tmp_path):
    message = refusal(write_input(tmp_path, top_sample('<OveralSys Name="a"/>')))
    assert "no element named 'OveralSys' in " in message
    assert "<Sample Name='top'>: did you mean 'OverallSys'?" in message


def test_a_missing_histogram_names_file_path_and_element(tmp_path):
    sample = top_sample('<ShapeSys Name="fakes" HistoPath="SR" HistoName="realtive"/>')
    message = refusal(write_input(tmp_path, sample))
    assert "config/SR.xml, line 1, <ShapeSys Name='fakes'>" in message
    assert "data/data.root: there is no 'SR/realtive' nor 'realtive'" in message
    assert "did you mean 'relative'?" in message


def test_files_that_are_missing_or_not_root(tmp_path):
    path = write_input(tmp_path)
    data = tmp_path / "data" / "data.root"
    content = data.read_bytes()
    data.unlink()
    assert "<Data>: " in refusal(path)
    assert "data.root: cannot be read: No such file or directory" in refusal(path)
    data.mkdir()
    assert "data.root: cannot be read: Is a directory" in refusal(path)
    data.rmdir()
    for broken in (b"", b"<Combination/>", content[:200], content[: len(content) // 2]):
        data.write_bytes(broken)
        assert "data.root: not a ROOT file that can be read: " in refusal(path)


def test_what_is_no_histogram_is_refused(tmp_path):
    path = write_input(tmp_path)
    tree = {"data": {"x": rows([1.0])[1]}}
    write_objects(tmp_path / "data" / "data.root", tree)
    message = refusal(path)
    assert "'data' is a ROOT::RNTuple, not a histogram (TH1, TH2 or TH3)" in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<Data HistoName="data"/>', "", "has no <Data>"),
        ('HistoName="signal"', "", "has no attribute HistoName"),
        ('InputFile="./data/data.root"', "", "no InputFile is named here"),
        ('Val="1"', "", "has no attribute Val"),
        ('Val="1"', 'Val="one"', "Val='one' is not a finite number"),
        ('Val="1"', 'Val="nan"', "Val='nan' is not a finite number"),
        ('Name="SR"', "", "has no attribute Name"),
        ("Channel", "Kanal", "the file is a <Kanal>, a <Channel> was expected"),
    ],
)
def test_channels_with_something_missing(tmp_path, old, new, message):
    path = write_input(tmp_path)
    channel = tmp_path / "config" / "SR.xml"
    channel.write_text(channel.read_text().replace(old, new))
    assert message in refusal(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<POI>mu</POI>", "", "<Measurement Name='m'>: has no <POI>"),
        ('Lumi="2"', "", "<Measurement Name='m'>: has no attribute Lumi"),
        ("<Input>./config/SR.xml</Input>", "", "has no <Input>"),
        ("Measurement", "Messung", "no element named 'Messung'"),
        (measurement(), "", "has no <Measurement>"),
    ],
)
def test_combinations_with_something_missing(tmp_path, old, new, message):
    path = write_input(tmp_path)
    path.write_text(path.read_text().replace(old, new))
    assert message in refusal(path)


def test_a_threshold_below_zero_is_refused(tmp_path):
    config = '<StatErrorConfig RelErrorThreshold="-1" ConstraintType="Poisson"/>'
    message = refusal(write_input(tmp_path, config, STATERROR))
    assert "<StatErrorConfig>: RelErrorThreshold is negative" in message


def test_bins_of_relative_uncertainties_must_fit(tmp_path):
    in_data_root(tmp_path, HISTOGRAMS | {"relative": histogram(0.1, 0.2, 0.3)})
    sample = top_sample('<ShapeSys Name="fakes" HistoName="relative"/>')
    message = refusal(write_input(tmp_path, sample))
    assert "'relative' has 3 bins, its sample has 2" in message


def test_the_document_may_be_no_valid_workspace(tmp_path):
    twice = '<OverallSys Name="jes" Low="0.9" High="1.2"/>' * 2
    found = read_xml(write_input(tmp_path, top_sample(twice)))
    with pytest.raises(SpecificationError, match="'jes' 'normsys' is there twice"):
        found.workspace()


def test_progress_is_told(tmp_path):
    path = write_input(tmp_path, head="<Input>./config/SR2.xml</Input>")
    shutil.copy(tmp_path / "config" / "SR.xml", tmp_path / "config" / "SR2.xml")
    told = []
    read_xml(path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]

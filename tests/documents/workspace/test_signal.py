"""Signals by name: `Signal`, `Workspace.with_signal`, `make_patchset`, tables."""

import copy
import csv
import io
import json
from pathlib import Path

import equinox as eqx
import hist
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import hfjax
from hfjax.documents.patchset.make import make_patchset
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.patchset.signal_table import read_signals
from hfjax.documents.reading.json_values import Malformed
from hfjax.documents.reading.schema import SIGNALS, validate
from hfjax.documents.workspace.signal import Signal
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError, UnknownNameError
from tests import mutations, workspaces

EXAMPLES = Path(__file__).parents[3] / "examples"
COMPLETE = {
    "name": "m_600",
    "values": {"m_parent": 600, "decay": "WW"},
    "cross_section": 0.5,
    "lumi": True,
    "normsys": {"xsec": 0.08, "isr": {"lo": 0.9, "hi": 1.2}},
    "channels": {
        "SR_low": [1.0, 2, 3.0, 4.0],
        "SR_high": {
            "data": [4.0, 2.0, 1.0],
            "staterror": [0.4, 0.2, 0.1],
            "normsys": {"isr": 0.3},
            "histosys": {"jes": {"lo_data": [3, 2, 1], "hi_data": [5, 3, 2]}},
        },
        "CR_top": {"data": [8.0], "staterror": {"signal_mc": [0.2]}},
    },
}


@pytest.fixture(scope="module")
def background():
    return Workspace.load(EXAMPLES / "BkgOnly.json")


@pytest.fixture(scope="module")
def published():
    return PatchSet.load(EXAMPLES / "patchset.json")


def modifiers(workspace, channel, sample):
    """Return the modifiers of a sample by name and type."""
    found = workspace.channel(channel).sample(sample).modifiers
    return {(modifier.name, modifier.type): modifier.data for modifier in found}


def test_signal_is_added_by_the_names_of_channels(background):
    before = background.dump()
    found = background.with_signal({"SR_high": [3.0, 2.0, 1.0]})
    assert found.channel("SR_high").sample("signal").data == (3.0, 2.0, 1.0)
    assert modifiers(found, "SR_high", "signal") == {("mu_SIG", "normfactor"): None}
    assert background.dump() == before
    assert Workspace.parse(found.dump()) == found


def test_t33_channel_without_a_signal_is_kept(background):
    found = background.with_signal({"SR_high": [3.0, 2.0, 1.0]})
    assert found.channel_names == background.channel_names
    assert found.observations == background.observations
    for name in ("CR_top", "CR_multijet", "SR_low"):
        assert found.channel(name) is background.channel(name)


def test_signal_with_everything(background):
    found = background.with_signal(Signal.parse(COMPLETE))
    assert found.channel("SR_low").sample("m_600").data == (0.5, 1.0, 1.5, 2.0)
    everywhere = {
        ("mu_SIG", "normfactor"): None,
        ("lumi", "lumi"): None,
        ("xsec", "normsys"): {"lo": 0.92, "hi": 1.08},
        ("isr", "normsys"): {"lo": 0.9, "hi": 1.2},
    }
    assert modifiers(found, "SR_low", "m_600") == everywhere
    assert modifiers(found, "SR_high", "m_600") == everywhere | {
        ("isr", "normsys"): {"lo": 0.7, "hi": 1.3},
        ("jes", "histosys"): {"lo_data": (1.5, 1.0, 0.5), "hi_data": (2.5, 1.5, 1.0)},
        ("mc_stat_SR_high", "staterror"): (0.2, 0.1, 0.05),
    }
    staterror = {("signal_mc", "staterror"): (0.1,)}
    assert modifiers(found, "CR_top", "m_600") == everywhere | staterror


def test_t9_staterror_of_a_signal_joins_the_one_of_its_channel():
    workspace = workspaces.all_modifiers()
    workspace["measurements"][0]["config"]["poi"] = "mu_sig"
    events = {"SR": {"data": [1.0], "staterror": [0.2]}}
    parsed = Workspace.parse(workspace)
    assert ("t", "staterror") in modifiers(parsed.with_signal(events), "SR", "signal")
    del workspace["channels"][0]["samples"][0]["modifiers"][-1]
    found = Workspace.parse(workspace).with_signal(events)
    assert ("staterror_SR", "staterror") in modifiers(found, "SR", "signal")
    for name in ("b", "a"):
        added = {"name": name, "type": "staterror", "data": [0.1]}
        workspace["channels"][0]["samples"][0]["modifiers"].append(added)
    with pytest.raises(SpecificationError, match="are the staterrors a, b: say which"):
        Workspace.parse(workspace).with_signal(events)
    events["SR"]["staterror"] = {"b": [0.2]}
    found = Workspace.parse(workspace).with_signal(events)
    assert ("b", "staterror") in modifiers(found, "SR", "signal")


def test_arrays_are_welcome(background):
    events = {"data": np.array([3.0, 2.0, 1.0]), "staterror": (np.float64(1), 2, 3)}
    found = background.with_signal({"SR_high": events, "CR_top": np.array([5])})
    assert found.channel("SR_high").sample("signal").data == (3.0, 2.0, 1.0)
    assert found.channel("CR_top").sample("signal").data == (5,)
    assert json.loads(json.dumps(found.dump())) == found.dump()


def test_variances_of_a_histogram_become_its_staterror(background):
    histogram = hist.new.Reg(3, 0, 300, name="met").Weight()
    histogram.fill([10, 50, 150, 250], weight=[3.0, 4.0, 2.0, 0.5])
    found = background.with_signal({"SR_high": histogram})
    assert found.channel("SR_high").sample("signal").data == (7.0, 2.0, 0.5)
    staterror = modifiers(found, "SR_high", "signal")["mc_stat_SR_high", "staterror"]
    assert staterror == (5.0, 2.0, 0.5)


def test_strength_may_have_another_name(background):
    found = background.with_signal({"SR_high": [3.0, 2.0, 1.0]}, poi="mu_new")
    assert modifiers(found, "SR_high", "signal") == {("mu_new", "normfactor"): None}


@pytest.mark.parametrize(
    ("pois", "words"),
    [([""], "measurements name none"), (["b", "a"], "measurements name 'a', 'b'")],
)
def test_strength_has_to_be_known(pois, words):
    workspace = workspaces.two_bins()
    workspace["channels"][0]["samples"][0]["name"] = "other"
    workspace["measurements"] = [
        {"name": f"m{i}", "config": {"poi": poi, "parameters": []}}
        for i, poi in enumerate(pois)
    ]
    parsed = Workspace.parse(workspace)
    with pytest.raises(SpecificationError, match=words):
        parsed.with_signal({"singlechannel": [1, 2]})
    assert (
        "signal" in parsed.with_signal({"singlechannel": [1, 2]}, poi="b").sample_names
    )


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ({"SRlow": [1.0]}, "no channel named 'SRlow' .*'signal' .*mean 'SR_low'"),
        ({"SR_low": [1.0]}, "'SR_low': 1 numbers for the channel's 4 bins"),
        (
            {"CR_top": {"data": [1.0], "staterror": [1.0, 2.0]}},
            "channel 'CR_top': staterror 'mc_stat_CR_top' has 2 numbers",
        ),
        (
            {
                "CR_top": {
                    "data": [1],
                    "histosys": {"j": {"lo_data": [1], "hi_data": []}},
                }
            },
            r"non-empty|too short",
        ),
        ({"CR_top": {"data": [float("nan")]}}, "'CR_top': nan is not a finite"),
        (
            {"CR_top": {"data": [1], "normsys": {"x": 1.08}}},
            "'x' is 1.08: one number is",
        ),
        ({"CR_top": {"data": [1], "normsys": {"x": {"lo": 1}}}}, "'hi' is a required"),
        ({"CR_top": {"data": ["1"]}}, "'1' is not of type 'number'"),
        ({"CR_top": {"dat": [1]}}, "'data' is a required property|were unexpected"),
        ({"CR_top": 1.0}, "1.0 is not"),
        ({"CR_top": {"data": [1.0], "stat": [1.0]}}, "'stat' was unexpected"),
        ({}, "does not have enough properties|non-empty"),
    ],
)
def test_wrong_signal_is_refused_with_names(background, channels, words):
    with pytest.raises((SpecificationError, UnknownNameError), match=words):
        background.with_signal(channels)


def test_sample_of_the_same_name_is_not_replaced(background):
    once = background.with_signal({"CR_top": [1.0]})
    with pytest.raises(SpecificationError, match="sample of this name already: rename"):
        once.with_signal({"CR_top": [1.0]})
    named = Signal.parse({"name": "other", "channels": {"CR_top": [1.0]}})
    assert "other" in once.with_signal(named).sample_names


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"m": 600}, "m_600"),
        ({"m": 0.5, "x": -3, "decay": "b b"}, "m_0p5_x_m3_decay_b_b"),
        ({"m": 1e30}, "m_1e30"),
        ({}, "signal"),
    ],
)
def test_signal_is_named_after_its_values(values, name):
    assert Signal.parse({"values": values, "channels": {"SR": [1]}}).name == name


SIGNAL_DOCUMENTS = st.just(COMPLETE).map(copy.deepcopy)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(mutations.with_wrong_values(SIGNAL_DOCUMENTS))
def test_strict_reading_and_schema_agree(document):
    try:
        validate([document], SIGNALS)
        valid = True
    except SpecificationError:
        valid = False
    try:
        Signal.parse_strictly(document)
        read = True
    except Malformed:
        read = False
    except SpecificationError:
        read = valid  # well-formed, with a number that makes no sense
    assert read == valid


def from_patch(workspace, patch):
    """Tell a published patch's signal by the names of channels."""
    channels = {}
    for operation in patch.operations:
        if operation["op"] != "add":
            continue
        index = int(operation["path"].split("/")[2])
        sample = operation["value"]
        found = {"data": sample["data"], "normsys": {}, "histosys": {}}
        for modifier in sample["modifiers"]:
            if modifier["type"] in ("normsys", "histosys"):
                found[modifier["type"]][modifier["name"]] = modifier["data"]
            elif modifier["type"] == "staterror":
                found["staterror"] = modifier["data"]
        channels[workspace.channel_names[index]] = found
    values = dict(zip(("m_parent", "m_lsp"), patch.values, strict=True))
    return {"name": patch.name, "values": values, "lumi": True, "channels": channels}


def canonical(workspace, signal):
    """Return the channels with the signal's name and order of modifiers left out."""
    document = workspace.dump()
    for channel in document["channels"]:
        for sample in channel["samples"]:
            sample["modifiers"].sort(key=lambda found: (found["name"], found["type"]))
            if sample["name"] in (signal, f"signal_{signal[7:].replace('_lsp', '')}"):
                sample["name"] = "signal"
    return document


def removes(patch):
    return any(operation["op"] == "remove" for operation in patch.operations)


def test_patches_made_from_published_signals_give_the_same_workspaces(
    background, published
):
    signals = [from_patch(background, patch) for patch in published]
    made = make_patchset(background, signals, description=published.description)
    made.verify(background)
    assert made == PatchSet.parse(json.loads(json.dumps(made.dump())))
    assert (made.labels, made.digests) == (published.labels, published.digests)
    assert [p.values for p in made] == [p.values for p in published]
    same = [patch for patch in published if not removes(patch)]
    assert 60 < len(same) < len(published)
    for patch in same:
        ours = made[patch.name].apply(background)
        theirs = patch.apply(background)
        assert canonical(ours, patch.name) == canonical(theirs, patch.name)


def test_t33_made_patches_never_drop_a_channel(background, published):
    patch = next(patch for patch in published if removes(patch))
    made = make_patchset(background, [from_patch(background, patch)])
    assert made[0].apply(background).channel_names == background.channel_names
    assert patch.apply(background).channel_names != background.channel_names


def test_patches_made_from_published_signals_give_the_same_models(
    background, published
):
    patch = published["parent_600_lsp_240"]
    signal = from_patch(background, patch) | {"name": "signal_600_240"}
    made = make_patchset(background, [signal])[0]
    ours, theirs = (hfjax.build(background, patch=found) for found in (made, patch))
    assert eqx.tree_equal(ours, theirs)


def test_t22_index_of_a_channel_comes_from_its_name(background):
    signal = {"values": {"m": 1}, "channels": {"SR_high": [1, 2, 3], "CR_top": [4]}}
    made = make_patchset(background, [signal])
    paths = [operation["path"] for operation in made[0].operations]
    assert paths == ["/channels/0/samples/-", "/channels/3/samples/-"]
    turned = Workspace(
        background.channels[::-1], background.measurements, background.observations
    )
    made = make_patchset(turned, [signal])
    paths = [operation["path"] for operation in made[0].operations]
    assert paths == ["/channels/0/samples/-", "/channels/3/samples/-"]
    assert [o["value"]["data"] for o in made[0].operations] == [[1, 2, 3], [4]]


def test_cross_section_is_kept_in_the_metadata_of_its_patch(background):
    signal = {"values": {"m": 1}, "channels": {"CR_top": [4]}, "cross_section": 0.25}
    made = make_patchset(background, [signal])
    assert made[0].extra == {"cross_section": 0.25}
    assert made[0].operations[0]["value"]["data"] == [1.0]


@pytest.mark.parametrize(
    "change",
    [
        {"cross_section": float("inf")},
        {"cross_section": 1e308, "channels": {"CR_top": [10.0]}},
        {"values": {"m": float("nan")}},
        {"normsys": {"x": {"lo": 1.0, "hi": float("nan")}}},
    ],
)
def test_numbers_that_are_not_finite_are_refused(change):
    with pytest.raises(SpecificationError, match=r"signal 'm_.*(inf|nan) is not a fin"):
        Signal.parse({"values": {"m": 1}, "channels": {"CR_top": [4.0]}} | change)


def signals_of(*changes):
    plain = {"values": {"m": 1}, "channels": {"CR_top": [4.0]}}
    return [plain | change for change in changes]


@pytest.mark.parametrize(
    ("signals", "options", "words"),
    [
        ([], {}, "there is no signal"),
        (signals_of({}, {}), {}, "patch 'm_1' is there twice"),
        (signals_of({}, {"name": "other"}), {}, r"values \(1,\) is there twice"),
        (signals_of({"name": "a b"}), {}, "'a b' cannot name a patch: use letters"),
        (
            signals_of({}, {"values": {"n": 1}}),
            {},
            "'n_1' has values for 'n', not for 'm'",
        ),
        (signals_of({"values": {}}), {}, "there is no label: give signals values"),
        (
            signals_of({}, {"values": {}}),
            {},
            "'signal' has values for no label, not for 'm'",
        ),
        (
            signals_of({}),
            {"labels": ["m", "n"]},
            "has values for 'm', not for 'm', 'n'",
        ),
        (signals_of({}), {"labels": ["m", "m"]}, "a label is there twice, of 'm', 'm'"),
        (signals_of({"values": {"m l": 1}}), {}, "'m l' does not match"),
        (signals_of({}), {"hepdata": "89408"}, "'89408' is no record of HEPData: give"),
        (signals_of({"channels": {"SR": [1]}}), {}, "no channel named 'SR' .*'m_1'"),
        (signals_of({"name": "top"}), {}, "signal 'top', channel 'CR_top': there is a"),
    ],
)
def test_wrong_signals_make_no_patchset(background, signals, options, words):
    with pytest.raises((SpecificationError, UnknownNameError), match=words):
        make_patchset(background, signals, **options)


def test_labels_give_the_order_of_values(background):
    signals = signals_of({"values": {"a": 1, "b": "x"}})
    assert make_patchset(background, signals)[0].values == (1, "x")
    assert make_patchset(background, signals, ["b", "a"])[0].values == ("x", 1)


def csv_of(signals):
    """Write signals as a spreadsheet would."""
    rows = []
    for signal in signals:
        row = {"name": signal["name"], "lumi": "TRUE", **signal["values"]}
        for channel, found in signal["channels"].items():
            for i, number in enumerate(found["data"]):
                row[f"{channel}[{i}]"] = number
                row[f"staterror:{channel}[{i}]"] = found["staterror"][i]
                for name, data in found["histosys"].items():
                    for side in ("lo", "hi"):
                        heading = f"histosys:{name}:{side}:{channel}[{i}]"
                        row[heading] = data[f"{side}_data"][i]
            for name, data in found["normsys"].items():
                row |= {f"normsys:{name}:{side}": data[side] for side in ("lo", "hi")}
        rows.append(row)
    headings = sorted({heading for row in rows for heading in row})
    target = io.StringIO()
    writer = csv.DictWriter(target, headings)
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def test_csv_and_json_tables_say_the_same(background, published, tmp_path):
    signals = [from_patch(background, patch) for patch in published]
    path = tmp_path / "signals.csv"
    path.write_text(csv_of(signals), encoding="utf-8-sig")
    from_csv = make_patchset(background, read_signals(path, ["m_parent", "m_lsp"]))
    path.write_text(json.dumps(signals))
    from_json = make_patchset(background, read_signals(path))
    for one, two in zip(from_csv, from_json, strict=True):
        assert (one.name, one.values) == (two.name, two.values)
        ours, theirs = one.apply(background), two.apply(background)
        assert canonical(ours, one.name) == canonical(theirs, one.name)


def read(text, labels=("m",)):
    return read_signals(io.StringIO(text), labels)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_they_do_anywhere(end):
    (signal,) = read(f"m,SR[0]{end}1,2{end}")
    assert signal.channels["SR"].data == (2,)


def test_cells_that_are_empty_say_nothing():
    text = (
        "m,CR[0],SR[0],SR[1],normsys:a,staterror:CR[0],cross_section\n"
        "1,0,,,,,\n\n,,,,,,\n 2 ,1,0.5,1e-3,0.1,0.2,2\n"
    )
    first, second = read(text)
    assert list(first.channels) == ["CR"]
    assert first.channels["CR"].data == (0,)
    assert (first.modifiers, first.cross_section) == ((), None)
    assert second.channels["SR"].data == (1.0, 0.002)
    assert second.channels["CR"].staterror == (0.4,)
    assert second.values == {"m": 2}


def test_values_of_labels_are_numbers_or_texts():
    (signal,) = read("a,b,c,d,SR[0]\n1,2.5,WW,1_0,3\n", ("a", "b", "c", "d"))
    assert signal.values == {"a": 1, "b": 2.5, "c": "WW", "d": "1_0"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a table has a line of headings, and a line for each signal"),
        ("m,SR[0]\n", "a table has a line of headings"),
        ("m;SR[0]\n1;2\n", "no column named 'm'|separate columns by commas"),
        ("x,SR[0]\n1,2\n", "no column named 'm' in the table"),
        ("m,SR[0],cross_sectoin\n1,2,3\n", "did you mean 'cross_section'"),
        ("m,SR\n1,2\n", "no meaning of a column named 'SR'"),
        ("m,histosys:j:SR[0]\n1,2\n", "no meaning of a column named 'histosys:j:SR"),
        ("m,SR[0],SR[0]\n1,2,3\n", r"column 'SR\[0\]' is there twice"),
        ("m,SR[1],SR[2]\n1,2,3\n", "is there, but none for bin 0: bins are counted"),
        ("m,SR[0],SR[2]\n1,2,3\n", r"'SR\[2\]' is there, but none for bin 1"),
        ("m,SR[0],normsys:a,normsys:a:lo\n1,2,0.1,3\n", "'normsys:a:lo' and 'norms"),
        ("m,SR[0]\n1,2,3\n", "line 2: 3 cells for 2 columns"),
        ("m,SR[0]\n1,x\n", r"line 2: column 'SR\[0\]': 'x' is not a finite number"),
        ("m,SR[0]\n1,nan\n", "'nan' is not a finite number"),
        ("m,SR[0]\n1,1_0\n", "'1_0' is not a finite number"),
        ('m,SR[0]\n1,"1,5"\n', "'1,5' is not a finite number"),
        ("m,SR[0]\n,1\n", "line 2: column 'm' is empty: give every signal a value"),
        ("m,SR[0],SR[1]\n1,2,\n", r"'SR\[1\]' is empty, while other bins are not"),
        ("m,SR[0]\n1,\n", "line 2: no channel has events: write 0"),
        ("m,SR[0],lumi\n1,2,maybe\n", "'maybe' is neither true nor false"),
        ("m,SR[0],normsys:a\n1,2,8\n", "line 2: signal 'm_1': normsys 'a' is 8: one"),
        ("m,SR[0],normsys:a:lo\n1,2,0.9\n", "line 2: 'hi' is a required property"),
        ('m,SR[0]\n1,"2\n', "line 2: unexpected end of data"),
    ],
)
def test_wrong_table_is_refused_at_its_place(text, words):
    with pytest.raises((SpecificationError, UnknownNameError), match=words):
        read(text)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "a table is a list of signals"),
        ([], "a table is a list of signals"),
        ([{"channels": {"SR": [1]}}, {}], r"'channels' is a required property \(at /1"),
        ([{"channels": {"SR": ["1"]}}], r"\(at /0/channels/SR/0\)"),
        ([1], r"1 is not of type 'object' \(at /0\)"),
    ],
)
def test_wrong_json_table_is_refused_at_its_place(document, words):
    with pytest.raises(SpecificationError, match=words):
        read(json.dumps(document))

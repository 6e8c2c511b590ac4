import dataclasses
import io
import json
import pickle
import sys

import pytest
from hypothesis import HealthCheck, given, settings

from hfjax.documents.reading.digest import digest
from hfjax.documents.workspace.workspace import (
    Channel,
    Modifier,
    ParameterConfig,
    Sample,
    Workspace,
    format_version,
)
from hfjax.errors import DigestError, HfjaxError, SpecificationError, UnknownNameError
from tests import workspaces

LIKELIHOODS = ("staus", "sbottomA", "sleptons", "offshell")


@pytest.fixture
def document():
    return workspaces.two_bins()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(workspaces.forms())
def test_dump_of_parsed_document_is_equal_also_as_text(document):
    dumped = Workspace.parse(document).dump()
    assert dumped == document
    assert json.dumps(dumped, sort_keys=True) == json.dumps(document, sort_keys=True)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(workspaces.forms("1.0.0+hfjax.1"))
def test_dump_of_extended_document_is_equal_also_as_text(document):
    workspace = Workspace.parse(document)
    dumped = workspace.dump()
    assert json.dumps(dumped, sort_keys=True) == json.dumps(document, sort_keys=True)
    assert Workspace.parse(dumped) == workspace


def test_version_to_state_is_the_plain_one_unless_the_extension_is_used():
    plain, extended = workspaces.all_modifiers(), workspaces.all_settings()
    assert format_version(Workspace.parse(plain).measurements) == "1.0.0"
    assert format_version(Workspace.parse(extended).measurements) == "1.0.0+hfjax.1"
    unused = Workspace.parse({**plain, "version": "1.0.0+hfjax.1"})
    assert unused.dump()["version"] == "1.0.0+hfjax.1"
    assert format_version(unused.measurements) == "1.0.0"


def test_workspace_made_of_records_states_the_version_that_it_needs():
    workspace = Workspace.parse(workspaces.all_settings())
    with pytest.raises(SpecificationError, match='state "version"') as caught:
        dataclasses.replace(workspace, version="1.0.0")
    assert caught.value.pointer == "/measurements/0/config/parameters/2/constraint"
    with pytest.raises(SpecificationError, match=r"'1\.0\.0\+hfjax\.2'"):
        dataclasses.replace(workspace, version="1.0.0+hfjax.2")


def test_settings_made_by_hand_are_checked():
    with pytest.raises(SpecificationError, match="a constraint is one of"):
        ParameterConfig("top", constraint="gauss")
    with pytest.raises(SpecificationError, match="not negative: -1"):
        ParameterConfig("top", threshold=-1)


def test_dump_keeps_whole_numbers_nan_and_absent_keys():
    document = workspaces.all_modifiers()
    document["observations"][0]["data"] = [float("nan")]
    dumped = Workspace.parse(document).dump()
    assert json.dumps(dumped, sort_keys=True) == json.dumps(document, sort_keys=True)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_published_workspace_survives_the_round_trip(data_dir, name):
    path = data_dir / "likelihoods" / name / "BkgOnly.json"
    workspace = Workspace.load(path)
    document = json.loads(path.read_bytes())
    assert workspace.dump() == document
    assert workspace.digest() == digest(document)


def test_parsed_workspace_does_not_follow_its_document(document):
    workspace = Workspace.parse(document)
    document["channels"][0]["samples"][0]["data"][0] = 99.0
    assert workspace.channel("singlechannel").sample("signal").data == (5.0, 10.0)


def test_workspace_survives_pickling(document):
    workspace = Workspace.parse(document)
    workspace.digest()
    assert pickle.loads(pickle.dumps(workspace)) == workspace


def test_digest_of_the_two_bin_example(document):
    expected = "dad8822af55205d60152cbe4303929042dbd9d4839012e055e7c6b6459d68d73"
    assert Workspace.parse(document).digest() == expected
    assert Workspace.parse(document).digest("md5") == digest(document, "md5")


@pytest.mark.parametrize(
    ("document", "start"),
    [
        (
            {"a": 2.0, "b": 3.0, "c": 1.0},
            "a38f6093800189b79bc22ef677baf90c75705af2cfc7ff594159eca54eaa7928",
        ),
        ({"a": 5.0}, "11067c1a"),
        ({"a": 5}, "a93286b8"),
    ],
)
def test_digest_of_known_documents(document, start):
    assert digest(document).startswith(start)


def test_digest_is_computed_anew_for_a_changed_workspace(document):
    workspace = Workspace.parse(document)
    first = workspace.digest()
    (observation,) = workspace.observations
    changed = dataclasses.replace(observation, data=(1, 2))
    assert dataclasses.replace(workspace, observations=(changed,)).digest() != first


@pytest.mark.parametrize("algorithm", ["sha265", "shake_128"])
def test_unknown_digest_algorithm_is_named(algorithm, document):
    with pytest.raises(
        UnknownNameError, match=f"no hash algorithm named '{algorithm}'"
    ):
        Workspace.parse(document).digest(algorithm)


@pytest.mark.parametrize("document", [{1, 2}, {"a": "\ud800"}])
def test_what_is_not_json_has_no_digest(document):
    with pytest.raises(DigestError, match="not JSON in UTF-8"):
        digest(document)


def test_lookup_by_name(document):
    workspace = Workspace.parse(document)
    channel = workspace.channel("singlechannel")
    assert channel.bins == 2
    assert channel.sample_names == ("signal", "background")
    assert channel.sample("background").modifiers[0].name == "uncorr_bkguncrt"
    assert workspace.observation("singlechannel").data == (50.0, 60.0)
    assert workspace.measurement("Measurement").poi == "mu"
    assert workspace.channel_names == ("singlechannel",)
    assert workspace.sample_names == ("background", "signal")
    assert workspace.modifiers == (
        ("mu", "normfactor"),
        ("uncorr_bkguncrt", "shapesys"),
    )


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda ws: ws.channel("singlchannel"), "did you mean 'singlechannel'"),
        (lambda ws: ws.observation("x"), "there are 'singlechannel'"),
        (lambda ws: ws.measurement("measurement"), "did you mean 'Measurement'"),
        (lambda ws: ws.measurement(1), "no measurement named '1'"),
        (lambda ws: ws.channels[0].sample("signl"), "did you mean 'signal'"),
    ],
)
def test_unknown_name_suggests_close_ones(document, ask, words):
    with pytest.raises(UnknownNameError, match=words):
        ask(Workspace.parse(document))


def test_t22_order_of_channels_and_observations_is_kept_and_does_not_matter():
    document = workspaces.all_modifiers()
    [signal_region] = document["channels"]
    control = {
        "name": "CR",
        "samples": [{"name": "z", "data": [4, 5], "modifiers": []}],
    }
    document["channels"] = [signal_region, control]
    workspace = Workspace.parse(document)
    assert workspace.channel_names == ("SR", "CR")
    assert [observation.name for observation in workspace.observations] == ["SR", "CR"]
    document["observations"].reverse()
    turned = Workspace.parse(document)
    assert turned.observation("CR") == workspace.observation("CR")
    assert turned.digest() != workspace.digest()


def test_measurement_by_name_position_or_the_first():
    document = workspaces.two_bins()
    config = {"poi": "", "parameters": [{"name": "mu", "inits": [2]}]}
    document["measurements"].append({"name": "other", "config": config})
    workspace = Workspace.parse(document)
    assert workspace.measurement_names == ("Measurement", "other")
    assert workspace.measurement(1) is workspace.measurement("other")
    with pytest.warns(UserWarning, match="the first of the measurements"):
        assert workspace.measurement().poi == "mu"
    other = workspace.measurement("other")
    assert other.parameter("lumi") is None
    parameter = other.parameter("mu")
    assert parameter is not None
    assert parameter.inits == (2,)
    assert parameter.bounds is None


def test_poi_and_parameters_that_only_patches_bring_are_accepted():
    document = workspaces.two_bins()
    document["measurements"][0]["config"] = {
        "poi": "mu_signal",
        "parameters": [{"name": "lumi", "inits": [1]}],
    }
    assert Workspace.parse(document).measurement().poi == "mu_signal"


def refused(document, pointer, words):
    """Check that a document is refused at a place with some words."""
    with pytest.raises(SpecificationError, match=words) as caught:
        Workspace.parse(document)
    assert caught.value.pointer == pointer
    assert str(caught.value).endswith(f"(at {pointer})")


def test_missing_observation_is_named(document):
    document["observations"][0]["name"] = "other"
    refused(document, "/channels/0", "channel 'singlechannel' has no observation")


def test_observation_with_another_number_of_bins_is_refused(document):
    document["observations"][0]["data"] = [1]
    refused(document, "/observations/0/data", "has 1 bins, its samples have 2")


def test_samples_with_different_numbers_of_bins_are_refused(document):
    document["channels"][0]["samples"][1] = {"name": "b", "data": [1], "modifiers": []}
    words = "channel 'singlechannel': sample 'b' has 1 bins, sample 'signal' has 2"
    refused(document, "/channels/0/samples/1/data", words)


@pytest.mark.parametrize(
    ("kind", "data", "place"),
    [
        ("shapesys", [1], ""),
        ("staterror", [1, 2, 3], ""),
        ("histosys", {"lo_data": [1, 2], "hi_data": [1]}, "/hi_data"),
        ("histosys", {"lo_data": [1, 2, 3], "hi_data": [1, 2]}, "/lo_data"),
    ],
)
def test_modifier_with_another_number_of_bins_is_refused(document, kind, data, place):
    modifier = {"name": "x", "type": kind, "data": data}
    document["channels"][0]["samples"][0]["modifiers"].append(modifier)
    pointer = f"/channels/0/samples/0/modifiers/1/data{place}"
    refused(document, pointer, f"sample 'signal': {kind} 'x' has . numbers")


def test_bounds_that_are_no_pair_are_refused(document):
    parameter = {"name": "mu", "bounds": [[0, 1, 2]]}
    document["measurements"][0]["config"]["parameters"].append(parameter)
    pointer = "/measurements/0/config/parameters/0/bounds/0"
    refused(
        document, pointer, "measurement 'Measurement': .*parameter 'mu': bounds are"
    )


def test_t2_modifier_twice_on_a_sample_is_refused(document):
    modifiers = document["channels"][0]["samples"][0]["modifiers"]
    modifiers.append(modifiers[0])
    pointer = "/channels/0/samples/0/modifiers/1"
    refused(document, pointer, "modifier 'mu' 'normfactor' is there twice")


def test_modifiers_of_one_name_and_two_types_are_accepted(document):
    modifiers = document["channels"][0]["samples"][0]["modifiers"]
    modifiers.append({"name": "a", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}})
    histosys = {"lo_data": [4, 9], "hi_data": [6, 11]}
    modifiers.append({"name": "a", "type": "histosys", "data": histosys})
    assert len(Workspace.parse(document).modifiers) == 4


@pytest.mark.parametrize(
    ("place", "pointer", "words"),
    [
        (["channels"], "/channels/1", "channel 'singlechannel'"),
        (["channels", 0, "samples"], "/channels/0/samples/2", "sample 'signal'"),
        (["observations"], "/observations/1", "observation 'singlechannel'"),
        (["measurements"], "/measurements/1", "measurement 'Measurement'"),
        (
            ["measurements", 0, "config", "parameters"],
            "/measurements/0/config/parameters/1",
            "parameter 'mu'",
        ),
    ],
)
def test_duplicate_name_is_refused(document, place, pointer, words):
    document["measurements"][0]["config"]["parameters"].append({"name": "mu"})
    found = document
    for key in place:
        found = found[key]
    found.append(found[0])
    refused(document, pointer, f"{words} is there twice, first at ")


def test_records_made_by_hand_are_checked():
    with pytest.raises(
        SpecificationError, match="has 1 numbers, its sample has 2 bins"
    ):
        Sample("a", (1, 2), (Modifier("s", "shapesys", (1,)),))
    with pytest.raises(SpecificationError, match="sample 'a' is there twice"):
        Channel("SR", (Sample("a", (1,)), Sample("a", (1,))))
    with pytest.raises(SpecificationError, match="channel 'SR' has no sample"):
        Channel("SR", ())


def test_load_from_path_text_file_binary_file_and_standard_input(
    document, tmp_path, monkeypatch
):
    content = json.dumps(document)
    path = tmp_path / "ws.json"
    path.write_text("\ufeff" + content, encoding="utf-8")
    expected = Workspace.parse(document)
    assert Workspace.load(path) == expected
    assert Workspace.load(str(path)) == expected
    with path.open(encoding="utf-8-sig") as file:
        assert Workspace.load(file) == expected
    with path.open("rb") as file:
        assert Workspace.load(file) == expected
    monkeypatch.setattr(sys, "stdin", io.StringIO(content))
    assert Workspace.load("-") == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert Workspace.load("-") == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{'a': 1}", "not JSON: Expecting property name .* at line 1, column 2"),
        (b'{"a": 1}x', "not JSON: Extra data"),
        (b"\x1f\x8b\x08", "not UTF-8 text: byte 0x8b at position 1"),
        ('{"name": "ü"}'.encode("latin-1"), "not UTF-8 text: byte 0xfc"),
        ("{}".encode("utf-16"), "not UTF-8 text"),
        (b"[" * 200_000, "nested too deeply|not JSON"),
        (b"[1" + b"0" * 5000 + b"]", "a whole number of more than 4300 digits$"),
        (b'["a', "not JSON: Unterminated string starting at line 1, column 2$"),
        (b"{}", "'channels' is a required property"),
        (b"NaN", "is not of type 'object'"),
    ],
)
def test_unreadable_content_gives_one_error_with_the_name(tmp_path, content, words):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(SpecificationError, match=words) as caught:
        Workspace.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_unreadable_source_gives_one_error(tmp_path, monkeypatch):
    with pytest.raises(HfjaxError, match="cannot be read: No such file"):
        Workspace.load(tmp_path / "absent.json")
    with pytest.raises(HfjaxError, match="cannot be read: Is a directory"):
        Workspace.load(tmp_path)
    with pytest.raises(HfjaxError, match=r"cannot be read: .*null"):
        Workspace.load("a\0b")
    with pytest.raises(HfjaxError, match="cannot be read: File name too long"):
        Workspace.load("x" * 5000)
    path = tmp_path / "latin.json"
    path.write_bytes(b'"\xfc"')
    with (
        path.open(encoding="utf-8") as file,
        pytest.raises(HfjaxError, match="not UTF-8 text"),
    ):
        Workspace.load(file)
    with pytest.raises(
        HfjaxError, match="cannot be read: I/O operation on closed file"
    ):
        Workspace.load(file)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(HfjaxError, match="standard input: cannot be read"):
        Workspace.load("-")

import contextlib
import copy
import gc
import io
import json
import pickle
import tracemalloc

import jsonpatch
import jsonpointer
import pytest
from hypothesis import given, settings, strategies as st

from hfjax.documents.convert.hs3.read import read_hs3
from hfjax.documents.patchset.patchset import Patch, PatchSet, apply_patch
from hfjax.documents.reading.digest import digest
from hfjax.documents.reading.json_files import read_json
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DigestError, PatchError, SpecificationError, UnknownNameError
from tests import workspaces

PATCHSETS = (
    "staus/patchset.json",
    "sbottomA/patchset.json",
    "sbottomA/published_patchset.json",
    "sleptons/patchset.json",
    "offshell/patchset.json",
)
SAMPLE = {"name": "new", "data": [1, 2.5], "modifiers": []}


def add(path, value=SAMPLE):
    return {"op": "add", "path": path, "value": value}


@pytest.fixture
def workspace():
    return Workspace.parse(workspaces.two_bins())


@pytest.fixture
def patchset():
    patches = [
        workspaces.patch("m_100", 100, [add("/channels/0/samples/-")]),
        workspaces.patch("m_200", 200.0, [add("/channels/0/samples/0")]),
        workspaces.patch("empty", "none", []),
    ]
    return PatchSet.parse(workspaces.patchset(patches))


def test_patch_is_found_by_name_position_and_values(patchset):
    assert patchset.names == ("m_100", "m_200", "empty")
    assert len(patchset) == 3
    first, second, third = patchset
    assert patchset["m_100"] is patchset[0] is patchset[-3] is first
    assert patchset[(100,)] is patchset[[100.0]] is first
    assert patchset[[200]] is second
    assert patchset[("none",)] is third


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("m_10", "no patch named 'm_10' in the patchset: did you mean 'm_100'"),
        (3, "no patch 3 in the patchset: it has 3, from 0 on"),
        ((201,), r"no patch with the values \(201,\) of \(mass\): did you mean \(200"),
        ((), "no patch with the values"),
    ],
)
def test_unknown_patch_is_named(patchset, key, words):
    with pytest.raises(UnknownNameError, match=words):
        patchset[key]


@pytest.mark.parametrize("name", ["name", "values"])
def test_patch_may_have_any_name(name):
    document = workspaces.patchset([workspaces.patch(name, 1, [])])
    assert PatchSet.parse(document)[name].values == (1,)


def test_dump_is_the_document_also_with_extra_metadata():
    document = workspaces.patchset([workspaces.patch("a", 1, [add("/channels/-")])])
    document["metadata"]["analysis"] = "SUSY"
    document["metadata"]["references"]["hepdata"] = "ins123"
    document["patches"][0]["metadata"]["cross_section"] = 0.5
    patchset = PatchSet.parse(document)
    assert json.dumps(patchset.dump(), sort_keys=True) == json.dumps(
        document, sort_keys=True
    )
    assert patchset.extra == {"analysis": "SUSY"}
    assert pickle.loads(pickle.dumps(patchset)) == patchset


@pytest.mark.parametrize(
    ("patches", "pointer", "words"),
    [
        ([], "/patches", "non-empty|too short"),
        (
            [workspaces.patch("a", 1, []), workspaces.patch("a", 2, [])],
            "/patches/1",
            "patch 'a' is there twice, first at /patches/0",
        ),
        (
            [workspaces.patch("a", 1, []), workspaces.patch("b", 1.0, [])],
            "/patches/1",
            r"values \(1.0,\) is there twice",
        ),
        (
            [{"metadata": {"name": "a", "values": [1, 2]}, "patch": []}],
            "/patches/0/metadata/values",
            "patch 'a' has 2 values for the 1 labels mass",
        ),
        (
            [workspaces.patch("a b", 1, [])],
            "/patches/0/metadata/name",
            "'a b' does not match",
        ),
    ],
)
def test_wrong_patchset_is_refused_at_its_place(patches, pointer, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        PatchSet.parse(workspaces.patchset(patches))
    assert caught.value.pointer == pointer


def test_patchset_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "patchset.json"
    path.write_text('{"patches": []}')
    with pytest.raises(
        SpecificationError, match=r"patchset\.json: 'metadata' is a req"
    ):
        PatchSet.load(path)


def test_workspace_in_place_of_a_patchset_is_recognised():
    with pytest.raises(SpecificationError, match="this looks like a workspace"):
        PatchSet.parse(workspaces.two_bins())
    with pytest.raises(SpecificationError, match="this looks like a patchset"):
        Workspace.parse(workspaces.patchset([]))
    with pytest.raises(SpecificationError, match="this looks like a JSON patch"):
        Workspace.parse([add("/channels/0")])
    with pytest.raises(SpecificationError, match="this is an HS3 document"):
        Workspace.parse({"distributions": []})


def test_what_is_asked_for_is_not_said_to_look_like_it():
    for parse, document in (
        (PatchSet.parse, {"patches": []}),
        (Workspace.parse, {"measurements": []}),
        (read_hs3, {"distributions": []}),
    ):
        with pytest.raises(SpecificationError) as caught:
            parse(document)
        assert "looks like" not in str(caught.value)


def test_nothing_looks_like_what_it_should_be():
    document = workspaces.two_bins()
    del document["channels"]
    for wrong in (document, [document]):
        with pytest.raises(SpecificationError) as caught:
            Workspace.parse(wrong)
        assert "looks like" not in str(caught.value)


def test_digest_mismatch_says_what_is_expected_and_found(workspace, patchset):
    patchset.verify(workspace)
    changed = apply_patch(
        workspace, [{"op": "remove", "path": "/channels/0/samples/1"}]
    )
    with pytest.raises(
        DigestError, match=r"sha256 digest dad8822af55205d6.* has [0-9a-f]"
    ):
        patchset.apply(changed, "empty")
    assert patchset.apply(changed, "empty", verify=False) == changed


def test_upper_case_digest_verifies(workspace):
    document = workspaces.patchset([workspaces.patch("a", 1, [])])
    digests = document["metadata"]["digests"]
    digests["sha256"] = digests["sha256"].upper()
    PatchSet.parse(document).verify(workspace)


def test_applied_patch_shares_what_it_does_not_touch(workspace, patchset):
    signal, background = workspace.channels[0].samples
    patched = patchset.apply(workspace, "m_100")
    assert patched.channels[0].samples[0] is signal
    assert patched.channels[0].samples[1] is background
    assert patched.channels[0].samples[2].dump() == SAMPLE
    assert patched.measurements[0] is workspace.measurements[0]
    assert patched.observations[0] is workspace.observations[0]
    assert workspace.dump() == workspaces.two_bins()


OPERATIONS = {
    "add": [add("/channels/0/samples/-")],
    "replace": [{"op": "replace", "path": "/observations/0/data/1", "value": 7}],
    "remove": [{"op": "remove", "path": "/channels/0/samples/0/modifiers/0"}],
    "test": [{"op": "test", "path": "/channels/0/samples/0/data", "value": [5, 10.0]}],
    "copy": [
        {
            "op": "copy",
            "from": "/channels/0/samples/1/modifiers/0",
            "path": "/channels/0/samples/0/modifiers/1",
        }
    ],
    "move": [
        {
            "op": "move",
            "from": "/channels/0/samples/0",
            "path": "/channels/0/samples/-",
        }
    ],
    "change what was added": [
        add("/channels/0/samples/-"),
        {"op": "replace", "path": "/channels/0/samples/2/data/0", "value": 9},
    ],
    "replace the whole document": [add("", workspaces.all_modifiers())],
    "move onto itself": [{"op": "move", "from": "/channels/0", "path": "/channels/0"}],
    "nothing": [],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_does_what_jsonpatch_does(workspace, name):
    operations = OPERATIONS[name]
    before = copy.deepcopy(operations)
    expected = jsonpatch.apply_patch(workspaces.two_bins(), copy.deepcopy(operations))
    assert apply_patch(workspace, operations).dump() == expected
    assert workspace.dump() == workspaces.two_bins()
    assert operations == before


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ([add("/channels/1/samples/-")], "index '?1'? is out of bounds"),
        ([add("/channels/0/samples/9")], "can't insert outside of list"),
        ([add("/channels/-/samples/-")], "operation 0"),
        ([add("/chanels/0")], "member 'chanels' not found"),
        ([add("/version/0")], "operation 0"),
        ([add("/version/0/a")], "operation 0"),
        ([{"op": "remove", "path": ""}], "operation 0"),
        ([{"op": "remove", "path": "/channels/0/data"}], "can't remove a non-existent"),
        ([{"op": "remove", "path": "/channels/x"}], "operation 0"),
        ([{"op": "replace", "path": "/channels/-", "value": 1}], "operation 0"),
        ([{"op": "test", "path": "/version", "value": "2"}], "is not equal to tested"),
        ([{"op": "test", "path": "/channels/-", "value": 1}], "nothing is"),
        (
            [{"op": "copy", "from": "/channels/3", "path": "/channels/-"}],
            "out of bounds",
        ),
        (
            [{"op": "copy", "from": "channels", "path": "/channels/-"}],
            "must start with",
        ),
        ([{"op": "move", "from": "/channels", "path": "/channels/0"}], "into itself"),
        (
            [{"op": "move", "from": "", "path": "/channels/0"}],
            "whole document .*itself",
        ),
        (
            [add("/channels/0/samples/-"), {"op": "remove", "path": "/none"}],
            r"operation 1 \(remove /none\)",
        ),
        (
            [{"op": "test", "path": "/parameters/0", "value": 1}],
            r"\(test /parameters/0\): member 'parameters' not found$",
        ),
    ],
)
def test_operation_that_cannot_be_applied_is_named(workspace, operations, words):
    patch = Patch("m_1", (1,), tuple(operations))
    with pytest.raises(PatchError, match=words) as caught:
        patch.apply(workspace)
    assert str(caught.value).startswith("patch 'm_1' cannot be applied: operation ")


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        (
            [add("/channels/0/samples/-", {"name": "x"})],
            "'data' is a required property",
        ),
        ([add("/channels/0/samples/-", 5)], r"\(at /channels/0/samples/2\)"),
        ([{"op": "remove", "path": "/channels/0"}], r"\(at /channels\)"),
        ([{"op": "remove", "path": "/observations/0"}], r"\(at /observations\)"),
        (
            [add("/channels/0/samples/-"), add("/channels/0/samples/-")],
            "sample 'new' is there twice",
        ),
        (
            [add("/channels/0/samples/-", {**SAMPLE, "data": [1]})],
            r"sample 'new' has 1 bins.*\(at /channels/0/samples/2/data\)",
        ),
        ([add("", "nothing")], "'nothing' is not of type 'object'"),
        (
            [{"op": "copy", "from": "/channels/0/samples/0", "path": "/channels/-"}],
            r"\(at /channels/1\)",
        ),
    ],
)
def test_patch_that_leaves_no_workspace_is_named(workspace, operations, words):
    with pytest.raises(PatchError, match=words) as caught:
        apply_patch(workspace, operations, "m_1")
    assert str(caught.value).startswith(
        "patch 'm_1' gives a workspace that is not valid"
    )


SETTINGS = "/measurements/0/config/parameters"
GAMMA = {"name": "n", "constraint": "gamma"}


def test_patches_of_an_extended_workspace_may_change_constraints():
    workspace = Workspace.parse(workspaces.all_settings())
    operations = [
        add("/channels/0/samples/-", {**SAMPLE, "data": [1]}),
        {"op": "replace", "path": f"{SETTINGS}/2", "value": GAMMA},
    ]
    patched = apply_patch(workspace, operations)
    assert patched.version == "1.0.0+hfjax.1"
    assert patched.measurement().parameter("n").constraint == "gamma"
    assert patched.dump() == jsonpatch.apply_patch(workspace.dump(), operations)


def test_patch_may_extend_a_plain_workspace_if_it_states_the_version(workspace):
    extend = add(f"{SETTINGS}/-", GAMMA)
    version = {"op": "replace", "path": "/version", "value": "1.0.0+hfjax.1"}
    with pytest.raises(PatchError, match='state "version"'):
        apply_patch(workspace, [extend])
    patched = apply_patch(workspace, [version, extend])
    assert patched.measurement().parameter("n").constraint == "gamma"


@pytest.mark.parametrize("value", [0, "gauss"])
def test_patch_with_a_wrong_constraint_is_refused_at_its_place(value):
    workspace = Workspace.parse(workspaces.all_settings())
    path = f"{SETTINGS}/2/constraint"
    operation = {"op": "replace", "path": path, "value": value}
    with pytest.raises(PatchError, match=rf"is not one of .*\(at {path}\)"):
        apply_patch(workspace, [operation])


def test_operations_of_a_wrong_form_are_refused(workspace):
    with pytest.raises(SpecificationError, match="'path' is a required property"):
        apply_patch(workspace, [{"op": "remove"}])
    with pytest.raises(SpecificationError, match="is not of type 'array'"):
        apply_patch(workspace, {"op": "remove", "path": "/channels/0"})


@pytest.mark.parametrize("name", PATCHSETS)
def test_published_patches_do_what_jsonpatch_does(data_dir, name):
    path = data_dir / "likelihoods" / name
    workspace = Workspace.load(path.parent / "BkgOnly.json")
    patchset = PatchSet.load(path)
    assert patchset.dump() == json.loads(path.read_bytes())
    document = workspace.dump()
    for patch in (patchset[0], patchset[len(patchset) // 2], patchset[-1]):
        patched = patchset.apply(workspace, patch.name)
        expected = jsonpatch.apply_patch(document, list(patch.operations))
        assert patched.dump() == expected
        assert patched.digest() == digest(expected)
        touched = {int(op["path"].split("/")[2]) for op in patch.operations}
        kept = [c for i, c in enumerate(workspace.channels) if i not in touched]
        assert all(any(c is found for found in patched.channels) for c in kept)
    assert workspace.dump() == document


BASES = [workspaces.two_bins(), workspaces.all_modifiers(), workspaces.all_settings()]
PATHS = sorted(
    {
        "".join(f"/{part}" for part in way)
        for way in [
            *((key,) for key in ("channels", "measurements", "version", "none")),
            *(("channels", i) for i in (0, 1, "-")),
            *(("channels", 0, "samples", i) for i in (0, 1, 2, "-")),
            *(("channels", 0, "samples", i, "name") for i in (0, 1)),
            *(("channels", 0, "samples", 0, "data", i) for i in (0, 1, "-")),
            *(("channels", 0, "samples", 0, "modifiers", i) for i in (0, 1, "-")),
            *(("channels", 0, "samples", 0, "modifiers", i, "data") for i in (0, 1)),
            *(("channels", 0, "samples", 0, "modifiers", 0, "data", "lo_data", 0),),
            *(("observations", i) for i in (0, "-")),
            *(("measurements", 0, "config", k) for k in ("poi", "parameters")),
            *(("measurements", 0, "config", "parameters", i) for i in (0, "-")),
        ]
    }
)
VALUES = st.sampled_from(
    [
        *(SAMPLE, [SAMPLE], {"name": "one", "data": [1], "modifiers": []}, 3, 4.5),
        *({"name": "k", "type": "normfactor", "data": None}, {"name": "mu"}, "text"),
        *([1, 2], [1], None, {"name": "CR", "data": [1.0]}),
    ]
)
OPERATION = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace", "test"]),
            "path": st.sampled_from(PATHS),
            "value": VALUES,
        }
    ),
    st.fixed_dictionaries({"op": st.just("remove"), "path": st.sampled_from(PATHS)}),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["move", "copy"]),
            "path": st.sampled_from(PATHS),
            "from": st.sampled_from(PATHS),
        }
    ),
)


def judged(document, operations):
    """Return the workspace that jsonpatch makes; None if it makes none."""
    try:
        patched = jsonpatch.apply_patch(document, copy.deepcopy(operations))
        Workspace.parse(patched)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError):
        return None
    except SpecificationError:
        return None
    return patched


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BASES), st.lists(OPERATION, min_size=1, max_size=4))
def test_any_operations_do_what_jsonpatch_does(document, operations):
    workspace = Workspace.parse(document)
    before = copy.deepcopy(operations)
    expected = judged(document, operations)
    try:
        patched = apply_patch(workspace, operations)
    except PatchError:
        assert expected is None
    else:
        assert patched.dump() == expected
        assert patched.digest() == digest(expected)
    assert workspace == Workspace.parse(document)
    assert operations == before


def large_patchset(patches):
    """A patchset whose patches have 50 modifiers each, as text."""
    modifier = {"type": "normsys", "data": {"lo": 0.987654321, "hi": 1.0123456789}}
    modifiers = [{"name": f"alpha_{i}", **modifier} for i in range(50)]
    value = {"name": "new", "data": [1.5, 2.5], "modifiers": modifiers}
    one = [add("/channels/0/samples/-", value)]
    found = [workspaces.patch(f"m_{i}", i, one) for i in range(patches)]
    return json.dumps(workspaces.patchset(found)).encode()


def peak_of_loading(content, workspace):
    """Return the most memory that loading and applying all patches takes, in bytes."""
    file = io.BytesIO(content)
    tracemalloc.start()
    try:
        patchset = PatchSet.load(file)
        for patch in patchset:
            patchset.apply(workspace, patch.name)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_of_a_patchset_is_proportional_to_its_size(workspace):
    small, large = large_patchset(10), large_patchset(40)
    first, second = (peak_of_loading(found, workspace) for found in (small, large))
    growth = len(large) / len(small)
    assert second < 1.1 * growth * first
    assert second < 8 * len(large)


def test_patches_share_the_document_that_was_parsed(workspace):
    document = json.loads(large_patchset(3))
    patchset = PatchSet.parse(document)
    for patch, found in zip(patchset, document["patches"], strict=True):
        assert patch.operations[0] is found["patch"][0]
        assert patch.dump()["patch"][0] is found["patch"][0]
        patched = patchset.apply(workspace, patch.name)
        old = workspace.channels[0].samples
        assert all(
            a is b for a, b in zip(patched.channels[0].samples, old, strict=False)
        )
    assert document == json.loads(large_patchset(3))


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("text", ['{"a": 1}', "{"])
def test_reading_leaves_the_garbage_collector_as_it_was(enabled, text):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with contextlib.suppress(SpecificationError):
            read_json(io.StringIO(text))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()

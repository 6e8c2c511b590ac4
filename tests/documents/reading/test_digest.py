"""Digests of published documents are pyhf's."""

import json
from pathlib import Path

import pytest

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.reading.digest import digest
from hfjax.documents.reading.json_files import read_json
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import UnknownNameError

KNOWN = json.loads(
    (Path(__file__).parents[2] / "reference" / "digests_pyhf.json").read_text()
)


@pytest.mark.parametrize("name", KNOWN)
def test_a_document_has_the_digest_that_pyhf_gives_it(data_dir, name):
    document = read_json(data_dir / name)
    found = [digest(document, algorithm)[:16] for algorithm in ("sha256", "md5")]
    assert found == KNOWN[name]


@pytest.mark.parametrize("name", [name for name in KNOWN if "BkgOnly" in name])
def test_parsing_keeps_the_digest(data_dir, name):
    workspace = Workspace.load(data_dir / name)
    assert workspace.digest()[:16] == KNOWN[name][0]


@pytest.mark.parametrize("name", [name for name in KNOWN if "patchset" in name])
def test_a_published_patchset_belongs_to_its_background(data_dir, name):
    path = data_dir / name
    PatchSet.load(path).verify(Workspace.load(path.with_name("BkgOnly.json")))


@pytest.mark.parametrize("algorithm", ["shake_128", "sha_256", ""])
def test_algorithm_without_a_digest_of_one_length_is_unknown(algorithm):
    with pytest.raises(UnknownNameError) as caught:
        digest({}, algorithm)
    assert "shake" not in str(caught.value).replace(f"named {algorithm!r}", "")

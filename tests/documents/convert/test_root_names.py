import pytest
from hypothesis import given, strategies as st

from hfjax.documents.convert.root_names import ParameterName, parameter_name, root_names
from hfjax.documents.parameters.uses import KINDS

NAMES = st.text("abl_0123456789", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("lumi", ("Lumi",)),
        ("normfactor", ("x",)),
        ("normsys", ("alpha_x",)),
        ("histosys", ("alpha_x",)),
        ("shapesys", ("gamma_x_bin_0", "gamma_x_bin_1")),
        ("shapefactor", ("gamma_x_bin_0", "gamma_x_bin_1")),
        (
            "staterror",
            ("gamma_stat_A_bin_0", "gamma_stat_B_bin_0", "gamma_stat_B_bin_1"),
        ),
    ],
)
def test_names_in_root(kind, names):
    assert root_names("x", kind, {"B": 2, "A": 1}) == names


@given(st.sampled_from(KINDS), NAMES, NAMES, st.integers(1, 12))
def test_names_map_both_ways(kind, name, channel, size):
    names = {"staterror": f"staterror_{channel}", "lumi": "lumi"}
    name = names.get(kind, name)
    known = [name, "other"]
    for index, found in enumerate(root_names(name, kind, {channel: size})):
        component = index if "bin" in found else None
        assert parameter_name(found, known) == ParameterName(name, component)


@pytest.mark.parametrize(
    ("root_name", "known", "expected"),
    [
        ("gamma_fakes_3", [], ("fakes", 3)),
        ("gamma_fakes", ["fakes"], ("fakes", None)),
        ("gamma_fakes", [], ("gamma_fakes", None)),
        ("gamma_stat_SR_bin_3", ["stat_SR"], ("stat_SR", 3)),
        ("gamma_stat_SR_bin_3", [], ("staterror_SR", 3)),
        ("gamma_a_bin_3_bin_1", [], ("a_bin_3", 1)),
        ("alpha_", [], ("alpha_", None)),
        ("alpha_s", ["alpha_s"], ("alpha_s", None)),
        ("Lumi", ["Lumi"], ("lumi", None)),
        ("mu", [], ("mu", None)),
    ],
)
def test_names_from_root(root_name, known, expected):
    assert parameter_name(root_name, known) == ParameterName(*expected)

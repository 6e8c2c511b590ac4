"""`hfjax plot`: what it draws of a result file, its options, and what it refuses."""

import json
import subprocess
import sys
from statistics import NormalDist

import pytest

from hfjax.documents.reading.schema import validate
from hfjax.inference.toys_file import save_toys
from hfjax.plotting.settings import PlotSettings
from hfjax.provenance import Provenance
from hfjax.results.scan import ScanPoint, ScanResult
from tests.toys import some_toy_limits, some_toys


def p_value(z: float) -> float:
    return NormalDist().cdf(-z)


def result(discovery: bool = False) -> ScanResult:
    """A grid of masses with a contour in it."""
    points = []
    for x in (100, 200, 300, 400):
        for y in (0, 40, 80):
            z = 4 - 0.01 * x
            band = tuple(p_value(z + shift) for shift in (2, 1, 0, -1, -2))
            tests = {"q": z * z, "q_asimov": 4.0} if discovery else {}
            name, CLs = f"p_{x}_{y}", p_value(z)
            points.append(
                ScanPoint(name, (x, y), CLs, band, discovery=discovery, **tests)
            )
    settings = {"test_stat": "q0"} if discovery else {}
    origin = Provenance(settings=settings)
    return ScanResult(("m_parent", "m_lsp"), tuple(points), origin)


@pytest.fixture
def results(tmp_path) -> str:
    result().write(tmp_path / "results.json")
    return "results.json"


@pytest.fixture
def asked(monkeypatch):
    """Which pictures are written with what, instead of writing them."""
    found = []
    for name in ("write_exclusion", "write_discovery"):

        def write(_result, target, settings, form, name=name):
            found.append((name, target, settings, form))

        monkeypatch.setattr(f"hfjax.{name}", write, raising=False)
    return found


START = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "eps": b"%!PS"}


@pytest.mark.parametrize("form", START)
def test_the_suffix_is_the_format(hfjax, results, tmp_path, form):
    outcome = hfjax("plot", results, "-o", f"a.{form}")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert (tmp_path / f"a.{form}").read_bytes().startswith(START[form])


def test_a_format_goes_before_the_suffix(hfjax, results, tmp_path):
    assert hfjax("plot", results, "-o", "figure", "--format", "PDF").code == 0
    assert (tmp_path / "figure").read_bytes().startswith(b"%PDF")


def test_a_picture_goes_to_standard_output(results, tmp_path):
    command = [sys.executable, "-m", "hfjax", "plot", "-", "-o", "-", "--format", "png"]
    given = (tmp_path / results).read_bytes()
    done = subprocess.run(command, input=given, capture_output=True, check=True)
    assert done.stdout.startswith(b"\x89PNG")
    assert done.stderr == b""


def test_the_kind_of_picture_follows_from_the_result(hfjax, results, asked, tmp_path):
    result(discovery=True).write(tmp_path / "q0.json")
    for path in (results, "q0.json"):
        assert hfjax("plot", path, "-o", "a.png").code == 0
    assert [name for name, *_ in asked] == ["write_exclusion", "write_discovery"]


def test_options_become_settings(hfjax, results, asked):
    options = ["--axes", "m_parent, m_parent-m_lsp", "--select", "m_lsp > 0", "--log"]
    options += ["--xlabel", "$m$", "--ylabel", "y", "--units", "GeV,ns", "--log-x"]
    options += ["--title", "Pairs", "--text", "ATLAS", "--text", "139 fb$^{-1}$"]
    options += ["--no-points", "--two-sigma", "--level", "0.1"]
    options += ["--forbidden", "m_lsp > m_parent"]
    assert hfjax("plot", results, "-o", "a.png", *options).code == 0
    ((_, _, settings, _),) = asked
    assert settings == PlotSettings(
        axes=("m_parent", "m_parent-m_lsp"),
        select="m_lsp > 0",
        xlabel="$m$",
        ylabel="y",
        units=("GeV", "ns"),
        title="Pairs",
        text=("ATLAS", "139 fb$^{-1}$"),
        log=True,
        log_x=True,
        points=False,
        two_sigma=True,
        forbidden="m_lsp > m_parent",
        level=0.1,
    )


def test_all_options_draw(hfjax, results, tmp_path):
    options = ["--axes", "m_parent,m_parent-m_lsp", "--units", "GeV", "--two-sigma"]
    options += ["--forbidden", "m_lsp > m_parent - 40", "--text", "ATLAS"]
    assert hfjax("plot", results, "-o", "a.png", *options).code == 0
    one = hfjax("plot", results, "-o", "b.png", "--select", "m_lsp == 40", "--log")
    assert one.code == 0
    assert (tmp_path / "b.png").stat().st_size > 10_000


def test_what_is_written_is_told(hfjax, results, monkeypatch):
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    outcome = hfjax("plot", results, "-o", "a.png")
    assert outcome.stderr == "hfjax: written: exclusion in a.png\n"
    assert hfjax("plot", results, "-o", "a.png", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Missing option '--output'"),
        (["-o", "a"], "no known suffix: use one of eps"),
        (["-o", "a.doc"], "no known suffix"),
        (["-o", "a.png", "--format", "doc"], "'doc' is no known format"),
        (["-o", "-"], "standard output has no suffix: give a --format"),
        (["-o", "nowhere/a.png"], "folder 'nowhere' does not exist"),
        (["-o", "nowhere/a", "--format", "png"], "folder 'nowhere' does not exist"),
        (["-o", "a.png", "--level", "5"], "'5' is not a number between 0 and 1"),
        (["-o", "a.png", "--level", "x"], "'x' is not a number between 0 and 1"),
        (["-o", "a.png", "--axes", "m_parent,m"], "unknown name 'm': did you mean"),
        (["-o", "a.png", "--axes", "m_parent,mlsp"], "did you mean 'm_lsp'"),
        (["-o", "a.png", "--axes", "m_parent,xy"], "choose of m_parent, m_lsp"),
        (["-o", "a.png", "--correlations"], "only a fit has correlations"),
        (["-o", "a.png", "--most", "9"], "no use for most"),
        (["-o", "a.png", "--axes", "m_parent"], "differ in 'm_lsp' (0, 40, 80)"),
        (
            ["-o", "a.png", "--axes", "m_parent,m_lsp+"],
            "the expression 'm_lsp+' cannot be read",
        ),
        (["-o", "a.png", "--axes", "m_lsp/m_lsp,m_lsp"], "division by zero"),
        (["-o", "a.png", "--select", "m_lsp > 90"], "no point fulfils 'm_lsp > 90'"),
        (["-o", "a.png", "--select", "m_lsp"], "is no condition: compare it"),
        (["-o", "a.png", "--log"], "'m_lsp' is 0 at point 'p_100_0'"),
        (["-o", "a.png", "--title", r"$\x$"], "a formula that cannot be set"),
        (["-o", "a.png", "--units", "a,b,c"], "3 units are too many"),
        (["-o", "a.png", "--forbidden", "m_lsp"], "is no region"),
    ],
)
def test_bad_input_is_refused_in_one_line(hfjax, results, options, message, tmp_path):
    assert message in hfjax("plot", results, *options).complaint
    assert not (tmp_path / "a.png").exists()


def test_what_is_no_result_is_refused(hfjax, write, hello):
    path = write("workspace.json", hello)
    complaint = hfjax("plot", path, "-o", "a.png").complaint
    assert "this looks like a workspace" in complaint
    assert "cannot be read" in hfjax("plot", "none.json", "-o", "a.png").complaint


def test_a_table_is_told_what_it_is(hfjax, tmp_path):
    (tmp_path / "signals.csv").write_text("mass,SR[0],SR[1]\n300,1.5,2\n")
    complaint = hfjax("plot", "signals.csv", "-o", "a.png").complaint
    assert "signals.csv: not JSON: it is a table with the columns mass," in complaint
    assert "`hfjax patchset make` makes a patchset of" in complaint


def test_a_plot_needs_matplotlib(hfjax, results, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    for options in (["-o", "a.png"], ["-o", "-", "--format", "png"]):
        complaint = hfjax("plot", results, *options).complaint
        assert "pip install 'hfjax[plot]'" in complaint


def test_drawing_loads_no_jax(results, tmp_path):
    arguments = [
        "hfjax",
        "plot",
        str(tmp_path / results),
        "-o",
        str(tmp_path / "a.png"),
    ]
    code = (
        "import sys\n"
        "from hfjax.cli.main import run\n"
        f"sys.argv = {arguments!r}\n"
        "try:\n    run()\n"
        "finally:\n"
        "    print(*{'jax', 'matplotlib.pyplot'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
    assert (tmp_path / "a.png").exists()


def test_a_forbidden_region_outside_is_told(hfjax, results, tmp_path):
    outcome = hfjax("plot", results, "-o", "a.png", "--forbidden", "m_lsp > 9000")
    assert outcome.code == 0
    told = "hfjax: warning: the line of 'm_lsp > 9000' is not in this picture, and is"
    assert outcome.stderr == f"{told} left out\n"
    assert (tmp_path / "a.png").exists()


@pytest.mark.slow
def test_results_of_fits_and_tests_are_drawn(hfjax, write, hello, tmp_path):
    path = write("workspace.json", hello)
    for command in ("fit", "cls"):
        more = ["--correlations"] if command == "fit" else []
        assert hfjax(command, path, "-o", f"{command}.json", *more).code == 0
        document = json.loads((tmp_path / f"{command}.json").read_text())
        kind = {"fit": "fit", "cls": "test"}[command]
        validate(document, f"{kind}-result-1.0.0.json")
        outcome = hfjax("plot", f"{command}.json", "-o", f"{command}.png")
        assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
        assert (tmp_path / f"{command}.png").stat().st_size > 10_000
    fitted = json.loads((tmp_path / "fit.json").read_text())
    assert fitted["bounds"]["mu"] == [[0, 10]]
    assert list(fitted["pulls"]) == ["stat"]
    matrix = hfjax("plot", "fit.json", "-o", "matrix.png", "--correlations")
    assert (matrix.code, matrix.stderr) == (0, "")
    refused = hfjax("plot", "fit.json", "-o", "a.png", "--log", "--level", "0.1")
    assert "a picture of a fit has no use for log, level" in refused.complaint


def test_a_profile_is_drawn(hfjax, write, monkeypatch):
    fit = {"mle_parameters": {"mu": [1.0]}, "twice_nll": 1.0, "edm": 0.0, "steps": 1}
    profile = {
        "hfjax": Provenance().dump(),
        "names": ["mu"],
        "values": [[0.0, 1.0, 2.0]],
        "delta": [4.0, 0.0, 4.0],
        "status": ["converged"] * 3,
        "free": fit | {"status": "converged", "message": ""},
    }
    path = write("profile.json", profile)
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    outcome = hfjax("plot", path, "-o", "a.png")
    assert (outcome.code, outcome.stderr) == (0, "hfjax: written: profile in a.png\n")


LIMITS = {
    **{"limit_obs": 1.0, "limit_exp": [0.5, 0.7, 1.0, 1.5, 2.0], "level": 0.05},
    **{"status": ["found"] * 6, "message": "", "CLs": [0.05] * 6, "mu_hat": 0.1},
    **{"upper_bound": 10.0, "tests": 30, "steps": 120, "fits": "converged"},
}
CURVE = {
    "poi_values": [0.0, 1.0],
    "CLs_obs": [1.0, 0.05],
    "CLs_exp": [[1.0] * 5, [0.01, 0.02, 0.05, 0.1, 0.3]],
    "status": ["converged"] * 2,
}
MATRIX = {"names": ["mu", "k"], "values": [[1.0, 0.2], [0.2, 1.0]]}
UNCERTAIN = {
    "uncertainties": {"mu": [0.5], "k": [0.1]},
    "correlations": MATRIX,
    "covariance": MATRIX,
    **{"at_bounds": {}, "fixed": [], "flat": [], "status": "known", "message": ""},
}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (LIMITS, "limit"),
        (LIMITS | {"curve": CURVE}, "limit"),
        (some_toy_limits().to_dict(), "limit"),
        (UNCERTAIN, "correlations"),
        (some_toys().to_dict(), "test with toys"),
    ],
)
def test_other_results_are_drawn(hfjax, write, document, kind, monkeypatch):
    path = write("result.json", {"hfjax": Provenance().dump(), **document})
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    outcome = hfjax("plot", path, "-o", "a.png")
    assert (outcome.code, outcome.stderr) == (0, f"hfjax: written: {kind} in a.png\n")


def test_statistics_of_toys_are_drawn_from_their_file(hfjax, monkeypatch, tmp_path):
    save_toys(some_toys(), tmp_path / "toys.npz")
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    outcome = hfjax("plot", "toys.npz", "-o", "a.png")
    assert (outcome.code, outcome.stderr) == (0, "hfjax: written: toys in a.png\n")
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_a_significance_has_no_picture(hfjax, write):
    document = {
        **{"hfjax": Provenance().dump(), "p0": 0.1, "Z": 1.3, "q": 1.6, "steps": 9},
        **{"p0_exp": [0.1] * 5, "Z_exp": [1.3] * 5, "q_asimov": 1.6, "edm": 0.0},
        **{"injected": 1.0, "signed": False, "mu_hat": 0.4, "status": "converged"},
        "message": "",
    }
    refused = hfjax("plot", write("s.json", document), "-o", "a.png").complaint
    assert "there is nothing to draw: give the result of `hfjax cls" in refused

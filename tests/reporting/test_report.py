"""Reports in Python: what is shared, what is refused, which grids they show."""

import re

import pytest

import hfjax
from hfjax.errors import ArgumentError, FitError
from hfjax.fitting.status import FitSettings
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.signal_grid import draw_signal_grid
from hfjax.reporting.page import section
from hfjax.results.limits_scan import LimitPoint, LimitsScanResult
from hfjax.results.scan import ScanPoint, ScanResult
from tests.workspaces import two_bins

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace():
    return hfjax.Workspace.parse(two_bins())


@pytest.fixture(scope="module")
def called():
    """The programs that the report has called, filled by `found`."""
    return []


@pytest.fixture(scope="module")
def found(workspace, called):
    def run(program):
        called.append(program.function.__name__)
        return program()

    return hfjax.report(workspace, scan=limits(), settings=FitSettings(run=run))


def limits():
    band = (0.4, 0.6, 0.8, 1.1, 1.6)
    places = ((300, 0, 0.5), (300, 100, 1.2), (400, 0, 2.0))
    points = [LimitPoint(f"m_{m}_{n}", (m, n), limit, band) for m, n, limit in places]
    return LimitsScanResult(("m_parent [GeV]", "m_lsp [GeV]"), tuple(points))


def test_all_sections_share_one_fit(found, called):
    assert called.count("best_fit") == 1
    assert found.failed == ()
    titles = [each.title for each in found.sections]
    assert titles[2:6] == [
        "Best fit",
        "Correlations",
        "Events before the fit",
        "Events after the fit",
    ]
    assert titles[-1] == "Signal grid"
    assert float(found.fit["mu"]) == pytest.approx(
        float(hfjax.fit(*hfjax.build(hfjax.Workspace.parse(two_bins())))["mu"])
    )


def test_a_report_is_written_and_shows_itself(found, tmp_path):
    found.write(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page == found.html
    assert "sha256:" in page
    assert repr(found).startswith("Report: Workspace, Check, Best fit")
    assert "; fits failed" not in repr(found)


def test_limits_are_a_grid_with_the_units_of_its_labels(found):
    assert '"axis_label":"m_parent [GeV]"' in found.scripts
    table = found.sections[-1].body
    assert "upper limits of 3 points" in table
    assert "limit expected, median" in found.scripts


def test_model_and_data_of_ones_own_are_taken(workspace):
    model, data = hfjax.build(workspace)
    held = model.with_fixed({"mu": 0.5})
    found = hfjax.report(workspace, (held, data))
    assert float(found.fit["mu"]) == 0.5


def test_a_model_of_another_workspace_is_refused(workspace):
    other = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
    with pytest.raises(ArgumentError, match=r"not one of the workspace: its channels"):
        hfjax.report(workspace, hfjax.build(other))


def test_a_grid_as_it_is_drawn_is_taken(workspace):
    tests = [
        ScanPoint(
            f"m_{m}", (m,), 0.01, (0.01,) * 5, q=z * z, q_asimov=4.0, discovery=True
        )
        for m, z in ((1, 1.0), (2, 3.5), (3, 2.0))
    ]
    scan = ScanResult(("mass",), tuple(tests))
    grid = draw_signal_grid(scan, PlotSettings(units="GeV"))
    found = hfjax.report(workspace, scan=grid)
    assert '"axis_label":"mass [GeV]"' in found.scripts
    assert "p0 of 3 points" in found.sections[-1].body


def test_fits_that_fail_are_told_for_functions_and_commands(workspace):
    found = hfjax.report(workspace, settings=FitSettings(max_steps=1))
    assert "Best fit" in found.failed
    assert "fits failed: Best fit" in repr(found)
    (why,) = re.findall(r'<p class="missing">(.*?)</p>', found.sections[2].body)
    assert "max_steps" in why
    assert "--max-steps" in why


def test_a_section_that_fails_says_why():
    def fails():
        message = "no fit"
        raise FitError(message)

    assert section("A", fails).failed

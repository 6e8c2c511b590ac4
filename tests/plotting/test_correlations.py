"""Pictures of correlations: which parameters are in them, and their numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from hfjax.errors import DataError
from hfjax.plotting.correlations import MOST, draw_correlations
from hfjax.plotting.settings import PlotSettings
from hfjax.results.covariance_record import CovarianceRecord
from hfjax.results.fit_record import FitRecord
from hfjax.results.named_matrix import NamedMatrix
from tests.plotting.same_picture import assert_seen


def fit(values, names=None) -> FitRecord:
    rows = tuple(map(tuple, np.asarray(values, object)))
    names = names or tuple(f"p{i}" for i in range(len(rows)))
    return FitRecord({}, correlations=NamedMatrix(tuple(names), rows))


def factors(size, seed=3):
    """Correlations of some common factors, as of a fit."""
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(size, 2)) * rng.uniform(0.1, 1.2, size=(size, 1))
    matrix = parts @ parts.T + np.eye(size)
    widths = np.sqrt(np.diag(matrix))
    return (matrix / np.outer(widths, widths)).tolist()


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def cells(axes):
    return axes.collections[0].get_array()


def test_cells_have_their_numbers():
    matrix = factors(4)
    axes = draw_correlations(fit(matrix, ["mu", "a$b$", "k", "l"])).axes
    np.testing.assert_allclose(cells(axes), matrix)
    assert [t.get_text() for t in axes.texts] == [f"{x:.2f}" for x in np.ravel(matrix)]
    assert labels(axes)[:2] == ["mu", r"a\$b\$"]
    low, high = axes.get_ylim()
    assert low > high  # the first row is on top


def test_the_parameters_with_the_largest_correlations_are_kept_in_their_order():
    matrix = np.eye(5)
    for i, j, rho in ((0, 3, -0.9), (1, 4, 0.5), (2, 0, 0.1)):
        matrix[i, j] = matrix[j, i] = rho
    for most, kept in ((2, [0, 3]), (4, [0, 1, 3, 4]), (5, [0, 1, 2, 3, 4])):
        axes = draw_correlations(fit(matrix.tolist()), PlotSettings(most=most)).axes
        assert labels(axes) == [f"p{i}" for i in kept]
        np.testing.assert_allclose(cells(axes), matrix[np.ix_(kept, kept)])
    assert axes.get_xlabel() == ""


def test_of_many_parameters_there_are_twenty_without_numbers():
    axes = draw_correlations(fit(factors(50))).axes
    assert (len(labels(axes)), len(axes.texts)) == (MOST, 0)
    assert axes.get_xlabel() == "20 of 50 parameters"


def test_parameters_are_selected_by_name():
    settings = PlotSettings(select="name in ('p1', 'p3')")
    axes = draw_correlations(fit(factors(5)), settings).axes
    assert labels(axes) == ["p1", "p3"]
    with pytest.raises(DataError, match="1 parameters that are left"):
        draw_correlations(fit(factors(5)), PlotSettings(select="name == 'p1'"))
    with pytest.raises(DataError, match="1 parameters that are asked for"):
        draw_correlations(fit(factors(5)), PlotSettings(most=1))


def test_where_nothing_could_move_there_are_no_correlations():
    with pytest.raises(DataError, match="0 parameters that are left have no"):
        draw_correlations(fit([]))


def test_a_correlation_that_is_not_known_is_a_question():
    matrix = [[None, None, None], [None, 1.0, 0.2], [None, 0.2, 1.0]]
    axes = draw_correlations(fit(matrix)).axes
    assert [text.get_text() for text in axes.texts][:5] == ["?", "?", "?", "?", "1.00"]
    assert np.ma.getmaskarray(cells(axes)).sum() == 5


def test_uncertainties_have_correlations_and_other_fits_have_none():
    matrix = fit(factors(3)).correlations
    found = CovarianceRecord({}, matrix, matrix, {}, (), (), "known", "")
    assert labels(draw_correlations(found).axes) == ["p0", "p1", "p2"]
    with pytest.raises(DataError, match="no correlations: `hfjax fit --correlations`"):
        draw_correlations(FitRecord({"mu": 1.0}))


def test_what_is_written_and_axes_that_are_given():
    axes = Figure().add_subplot()
    settings = PlotSettings(title="Pairs", text=("ATLAS", "13 TeV"))
    assert draw_correlations(fit(factors(3)), settings, axes=axes).axes is axes
    assert axes.get_title(loc="left") == "Pairs"
    assert axes.get_title(loc="right") == "ATLAS\n13 TeV"
    with pytest.raises(DataError, match="no use for log: it takes select"):
        draw_correlations(fit(factors(3)), PlotSettings(log=True))


def test_the_picture_is_what_was_seen(tmp_path):
    picture = draw_correlations(fit(factors(9)), PlotSettings(most=6))
    assert_seen(picture, "correlations", tmp_path)

"""Which picture is drawn of a result."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hfjax
from hfjax.errors import DataError
from hfjax.plotting.settings import PlotSettings
from hfjax.results.breakdown_record import BreakdownRecord
from hfjax.results.contour_record import ContourRecord
from hfjax.results.covariance_record import CovarianceRecord
from hfjax.results.fit_record import FitRecord
from hfjax.results.goodness_record import GoodnessOfFitRecord
from hfjax.results.hypotest_record import HypotestRecord
from hfjax.results.impacts_record import ImpactsRecord
from hfjax.results.intervals_record import IntervalsRecord
from hfjax.results.limit_record import LimitRecord
from hfjax.results.limits_scan import LimitsScanResult
from hfjax.results.profile_record import ProfileRecord
from hfjax.results.scan import ScanResult
from hfjax.results.significance_record import SignificanceRecord
from hfjax.results.toy_limit_record import ToyLimitRecord
from hfjax.results.toys_record import ToysRecord
from hfjax.results.yields_record import YieldsRecord

_KINDS: Mapping[type, str] = {
    FitRecord: "best fit",
    IntervalsRecord: "intervals",
    HypotestRecord: "test",
    ToysRecord: "test with toys",
    LimitRecord: "limit",
    ToyLimitRecord: "limit",
    CovarianceRecord: "correlations",
    ProfileRecord: "profile",
    ContourRecord: "contours",
    ImpactsRecord: "impacts",
    LimitsScanResult: "limits",
    YieldsRecord: "distributions",
}
_DRAWN: Mapping[str, Callable[[Any, PlotSettings], Any]] = {
    "best fit": lambda result, settings: hfjax.draw_fit(result, settings),
    "intervals": lambda result, settings: hfjax.draw_fit(result, settings),
    "test": lambda result, settings: hfjax.draw_test(result, settings),
    "test with toys": lambda result, settings: hfjax.draw_test(result.test, settings),
    "limit": lambda result, settings: hfjax.draw_limit(result, settings),
    "correlations": lambda result, settings: hfjax.draw_correlations(result, settings),
    "profile": lambda result, settings: hfjax.draw_profile(result, settings),
    "contours": lambda result, settings: hfjax.draw_contour(result, settings),
    "impacts": lambda result, settings: hfjax.draw_impacts(result, settings),
    "limits": lambda result, settings: hfjax.draw_limits(result, settings),
    "distributions": lambda result, settings: hfjax.draw_distributions(
        result, settings
    ),
    "toys": lambda result, settings: hfjax.draw_toys(result, settings),
}
"""What draws each kind, once it is asked for: that loads matplotlib, or JAX too."""


def read_drawable(path: str) -> Any:
    """Read a result file, or statistics of toys, which are a zip archive.

    Args:
        path: of the file; "-" is standard input.

    Raises:
        SpecificationError: It is neither.
    """
    toys = path != "-" and Path(path).is_file() and zipfile.is_zipfile(path)
    return hfjax.load_toys(path) if toys else hfjax.load_result(path)


def kind(result: Any, correlations: bool = False) -> str:
    """What a picture of a result shows.

    Args:
        result: of `read_drawable`.
        correlations: whether those of a fit are asked for.

    Raises:
        DataError: There is nothing to draw, or no correlations.

    >>> kind(FitRecord({"mu": 1.0})), kind(FitRecord({"mu": 1.0}), correlations=True)
    ('best fit', 'correlations')
    """
    if isinstance(result, SignificanceRecord):
        message = (
            "a significance is one number with its band, and there is nothing to draw: "
            "give the result of `hfjax cls --test-stat q0`, or of a scan with it"
        )
        raise DataError(message)
    if isinstance(result, GoodnessOfFitRecord):
        message = (
            "a goodness of fit is one number, and there is nothing to draw: give the "
            "result of `hfjax yields`, which is drawn with the data"
        )
        raise DataError(message)
    if isinstance(result, BreakdownRecord):
        message = (
            "an uncertainty by its sources is a few numbers, and there is nothing to "
            "draw: give the result of `hfjax impacts`"
        )
        raise DataError(message)
    if correlations and not isinstance(result, FitRecord | CovarianceRecord):
        message = "only a fit has correlations: give a file of `hfjax fit`"
        raise DataError(message)
    if correlations:
        return "correlations"
    if isinstance(result, ScanResult):
        return "significances" if result.discovery else "exclusion"
    return _KINDS.get(type(result), "toys")


def draw(
    result: Any,
    what: str,
    settings: PlotSettings,
    target: Any,
    form: str | None = None,
) -> None:
    """Draw a result into a file.

    Args:
        result: of `read_drawable`.
        what: of `kind`.
        settings: what is drawn and written.
        target: a path or an open file.
        form: the format; by default the suffix of the path says it.

    Raises:
        DataError: It cannot be drawn; the message says why.
    """
    if what == "exclusion":
        hfjax.write_exclusion(result, target, settings, form)
    elif what == "significances":
        hfjax.write_discovery(result, target, settings, form)
    else:
        _DRAWN[what](result, settings).write(target, form)

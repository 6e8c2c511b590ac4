"""Result files of every kind, read back."""

from collections.abc import Callable
from typing import Any

from hfjax.documents.reading.json_files import Source, naming, read_json
from hfjax.documents.reading.schema import likeness
from hfjax.errors import SpecificationError
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
from hfjax.results.scan import SCHEMA, ScanResult
from hfjax.results.significance_record import SignificanceRecord
from hfjax.results.toy_limit_record import ToyLimitRecord
from hfjax.results.toys_record import ToysRecord
from hfjax.results.yields_record import YieldsRecord

Result = (
    ScanResult
    | LimitsScanResult
    | FitRecord
    | HypotestRecord
    | ProfileRecord
    | ContourRecord
    | LimitRecord
    | ToyLimitRecord
    | SignificanceRecord
    | ToysRecord
    | CovarianceRecord
    | IntervalsRecord
    | YieldsRecord
    | GoodnessOfFitRecord
    | ImpactsRecord
    | BreakdownRecord
)
"""What a result file holds."""


def _parse_points(document: dict[str, Any]) -> ScanResult | LimitsScanResult:
    """Read a scan, or one for limits: it has their level."""
    kind = LimitsScanResult if "level" in document else ScanResult
    return kind.parse(document)


_KINDS: dict[str, Callable[[Any], Result]] = {
    "points": _parse_points,
    "impacts": ImpactsRecord.parse,
    "yields": YieldsRecord.parse,
    "groups": BreakdownRecord.parse,
    "contours": ContourRecord.parse,
    "delta": ProfileRecord.parse,
    "limit_obs_error": ToyLimitRecord.parse,
    "limit_obs": LimitRecord.parse,
    "injected": SignificanceRecord.parse,
    "calculator": ToysRecord.parse,
    "CLs_obs": HypotestRecord.parse,
    "mle_parameters": FitRecord.parse,
    "covariance": CovarianceRecord.parse,
    "intervals": IntervalsRecord.parse,
    "degrees_of_freedom": GoodnessOfFitRecord.parse,
}
"""The reader of each kind of file, by a key that no later kind has."""


def load_result(path: Source) -> Result:
    """Read a result file, of whatever command or `write` it is.

    Args:
        path: a path, "-" for standard input, or an open file.

    Returns:
        A `ScanResult` or `LimitsScanResult`; or a `FitRecord`, `HypotestRecord`,
        `ProfileRecord`, `ContourRecord`, `LimitRecord`, `ToyLimitRecord`,
        `SignificanceRecord`, `ToysRecord`, `CovarianceRecord`, `IntervalsRecord`,
        `YieldsRecord`, `GoodnessOfFitRecord`, `ImpactsRecord` or `BreakdownRecord`.
        Files of statistics of all toys are for `hfjax.load_toys`.

    Raises:
        SpecificationError: it cannot be read, or is no result; names the place.

    Example:
        >>> import io, json
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [3.0], [62.0])
        >>> fit = hfjax.fit(*hfjax.build(search))
        >>> text = json.dumps(fit.dump())
        >>> round(load_result(io.StringIO(text))["mu"], 6)
        1.0
    """
    document = read_json(path)
    with naming(path):
        return _reader(document)(document)


def _reader(document: Any) -> Callable[[Any], Result]:
    """What reads a document.

    Raises:
        SpecificationError: it is no result; says what it looks like.
    """
    keys = document.keys() if isinstance(document, dict) else ()
    for key, parse in _KINDS.items():
        if key in keys:
            return parse
    message = "this is no result that hfjax has written"
    raise SpecificationError(message + likeness(document, SCHEMA))

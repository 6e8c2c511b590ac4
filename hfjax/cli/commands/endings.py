"""What `fit`, `cls` and `scan` tell of valleys, bounds and edges."""

from collections.abc import Mapping
from typing import Any

from hfjax.cli.options import FitOptions, Valleys
from hfjax.cli.streams import complain
from hfjax.results.limits_scan import LimitsScanResult, Scanned
from hfjax.results.scan import LEVEL, ScanResult

FREE_FIT = "the free fit"
"""What the fit of all parameters is called, here and by `hfjax.fits_by_name`."""
MOST_BINS = 3
"""Most bins that are named."""
MOST_POINTS = 3
"""Most points that are named where several fail for one reason."""


def tell_endings(
    endings: Mapping[str, Any], poi: str | None, options: FitOptions
) -> None:
    """Tell what is to be known of where fits have ended, one line for each kind.

    Args:
        endings: a `FitEnding` for each fit, by what the fit is called.
        poi: name of the parameter of interest.
        options: whether messages are wanted, and which minimum is.
    """
    if options.quiet:
        return
    lines = [_passed(endings), _unphysical(endings)]
    if options.valleys is not Valleys.INITIAL:
        lines.insert(0, _lower(endings))
    if FREE_FIT in endings:
        lines.append(_limits(endings[FREE_FIT], poi))
    for line in filter(None, lines):
        complain(line)


def _lower(endings: Mapping[str, Any]) -> str:
    """Which fits have ended in another valley than their initial values lead to."""
    found = {k: e.valleys for k, e in endings.items() if e.valleys.lower_by}
    if not found:
        return ""
    by = ", ".join(f"{report.lower_by:.3g} ({k})" for k, report in found.items())
    worst = max(found.values(), key=lambda report: report.lower_by)
    return (
        "best fits are lower in -2 ln L than the minimum that the initial values lead "
        f"to, by {by}: {worst.moves}; `--valleys initial` takes that minimum"
    )


def _passed(endings: Mapping[str, Any]) -> str:
    """Which fit has passed over the lowest unphysical minimum."""
    found = {k: e.valleys for k, e in endings.items() if e.valleys.passed}
    if not found:
        return ""
    label, worst = max(found.items(), key=lambda each: each[1].passed_by)
    return (
        f"a minimum lower in -2 ln L by {worst.passed_by:.3g} ({label}) is passed over "
        f"as unphysical: {worst.passed.sentence} there; `--valleys any` takes it"
    )


def _unphysical(endings: Mapping[str, Any]) -> str:
    """Which fits have found no physical minimum."""
    found = {k: e.valleys for k, e in endings.items() if e.valleys.unphysical}
    if not found:
        return ""
    first = next(iter(found.values()))
    labels = ", ".join(found)
    return f"no physical minimum was found ({labels}): {first.unphysical.sentence}"


def _limits(ending: Any, poi: str | None) -> str:
    """What the free fit says of the ends of what is allowed.

    A signal of zero is an ordinary end, and a held fit has no choice.
    """
    if bound := ending.at_bounds.get(poi, 0.0):
        return (
            f"{FREE_FIT} has {poi} at its bound {bound:g}: widen its bounds in the "
            "measurement if it is to go further"
        )
    if ending.at_edge and poi not in ending.at_bounds:
        where = ", ".join(each.place for each in ending.at_edge[:MOST_BINS])
        return (
            f"{FREE_FIT} ends where the likelihood does: no rate is left in {where}, "
            "which has no events"
        )
    return ""


def tell_valleys_of_scan(result: ScanResult, options: FitOptions) -> None:
    """Tell at how many points fits have left the valley of their initial values.

    Args:
        result: of a scan.
        options: whether messages are wanted, and which minimum is.
    """
    other = options.valleys is not Valleys.INITIAL
    lower = [point for point in result if other and point.lower_by]
    passed = [point.name for point in result if point.passed_over]
    parts = []
    if lower:
        worst = max(lower, key=lambda point: point.lower_by)
        parts.append(
            f"at {len(lower)} of {len(result)} points best fits are lower in -2 ln L "
            "than the minima that the initial values lead to, by up to "
            f"{worst.lower_by:.3g} ({worst.name}); `--valleys initial` takes those"
        )
    if passed:
        parts.append(
            f"at {len(passed)} of {len(result)} points a lower minimum is passed over "
            f"as unphysical ({passed[0]}); `--valleys any` takes it"
        )
    if parts and not options.quiet:
        complain("; ".join(parts))


def outcome(result: Scanned) -> str:
    """What a scan has come to, in one line: exclusions, and points without a result.

    Args:
        result: of a scan.

    Example:
        >>> from hfjax.results.scan import ScanPoint
        >>> one = ScanPoint("a", (300,), 0.04, (0.01, 0.02, 0.06, 0.1, 0.2))
        >>> outcome(ScanResult(("m",), (one,)))
        '1 of 1 points are excluded at 95% confidence level, 0 were expected to be; \
none failed'
    """
    observed, expected = len(result.excluded()), len(result.expected_excluded())
    counts = f"{observed} of {len(result)} points", f"{expected} were expected to be"
    if isinstance(result, LimitsScanResult):
        confidence = f"{100.0 * (1.0 - result.level):g}% confidence level"
        what = f"are excluded at {confidence} (limit below 1)"
        return f"{counts[0]} {what}, {counts[1]}; {_failed(result)}"
    if result.discovery:
        best = result.most_significant
        largest = f"Z = {best.Z:.3g} ({best.name})" if best else "none"
        return f"largest significance: {largest}; {_failed(result)}"
    what = f"are excluded at {1.0 - LEVEL:.0%} confidence level"
    return f"{counts[0]} {what}, {counts[1]}; {_failed(result)}"


def _failed(result: Scanned) -> str:
    return f"{len(result.failed)} failed" if result.failed else "none failed"


def tell_failures(result: Scanned) -> None:
    """Tell why points have no result, or not all limits, one line for each reason.

    Args:
        result: of a scan.
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    for point in (each for each in result if each.message):
        names = reasons.setdefault((point.status, point.message), [])
        names.append(point.name)
    for (status, why), names in reasons.items():
        named, more = ", ".join(names[:MOST_POINTS]), len(names) - MOST_POINTS
        others = f" and {more} more" if more > 0 else ""
        complain(f"{named}{others}: {status}: {why}")

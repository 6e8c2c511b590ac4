"""Expected events with uncertainties: before a fit, after it, and beyond its data."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool

from hfjax.compiled.program import Run, run_directly
from hfjax.errors import ArgumentError, ParameterError, check_kind, unknown_name
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.covariance import covariance
from hfjax.fitting.covariance_result import CovarianceResult, CovarianceStatus
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.inference.spread import Both, Members, spread
from hfjax.inference.transfer import Believed, after_fit, before_fit, directions
from hfjax.inference.yields_result import Groups, YieldsResult
from hfjax.model.data import Data
from hfjax.model.model import Model

NO_GROUPS: Mapping[str, Iterable[str]] = MappingProxyType({})
"""No groups of samples."""
Fit = FitResult | CovarianceResult


class Fitted(NamedTuple):
    """A model that was fitted, and its data."""

    model: Model
    data: Data


def yields(
    model: Model,
    data: Data,
    result: Fit | None = None,
    *,
    fitted: tuple[Model, Data] | None = None,
    groups: Mapping[str, Iterable[str]] = NO_GROUPS,
    run: Run = run_directly,
) -> YieldsResult:
    """Find the expected events of samples in each bin and channel, with uncertainties.

    ``V = J C J'`` with the derivatives ``J`` of what is asked, of sums as well, and the
    covariance ``C`` of the parameters: what bins and samples have in common is in the
    uncertainties of their sums. After a fit ``C`` is the inverse of its exact Hessian,
    with 0 for what was held or stands at a bound. Without a fit, parameters are at
    their nominal values and ``C`` has the squared widths of the constraint terms,
    uncorrelated; parameters without such a term are at their initial values with no
    uncertainty.

    A fit of another model, such as one of control regions, predicts this one: give that
    model and its data as ``fitted``. Parameters of one name are one parameter, and
    components of a staterror or shapesys are one where they act in one bin of one
    channel. Parameters that only this model has are as they are without a fit;
    ``prior`` has their names.

    Args:
        model: whose events are asked for, as `hfjax.build` makes it.
        data: events that are shown beside the expected ones.
        result: of `fit`; or of `covariance`, as is needed where the fit held parameters
            by name. None before any fit.
        fitted: model and data that the fit is of, where these are others.
        groups: names of samples by the name of a group: ``{"top": ["ttbar", "Wt"]}``;
            one may be in several.
        run: calls compiled programs, as in `FitSettings`.

    Returns:
        Events of each sample, of each group and of all together, shapes ``(row, bin)``
        and ``(row, channel)``, with standard deviations; look at its ``status``. An
        uncertainty is NaN where a parameter has none. There are no derivatives.

    Raises:
        DataError: the data have the wrong shape, or are no counts.
        ParameterError: the fit is one of another model than is said.
        UnknownNameError: there is no sample of a name.
        ArgumentError: a group has the name of a sample, or an argument is of another
            kind; or inside ``jit`` or ``vmap``.
        ModelError: the model was not built from a workspace by itself.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [5.0], [62.0])
        >>> model, data = hfjax.build(search)
        >>> yields(model, data)["singlechannel"].sum_uncertainty
        5.0
        >>> after = yields(model, data, hfjax.fit(model, data))
        >>> round(after["singlechannel"].sum_uncertainty, 6)  # sqrt(62)
        7.874008
    """
    check_inputs(model, data, FitSettings())
    if model.is_traced:
        message = "yields are found outside of jit, vmap and grad"
        raise ArgumentError(message)
    given = _groups(model, groups)
    at = Fitted(model, data) if fitted is None else _other(fitted)
    found = None if result is None else _covariance(at, result, run)
    prediction = "post-fit" if fitted is None else "extrapolated"
    believed = before_fit(model) if found is None else after_fit(model, at.model, found)
    members, acts = _members(model, given), _acts(model)
    events, widths = _events(model, believed, members, run)
    code = CovarianceStatus.KNOWN if found is None else int(found.code)
    failed = code >= CovarianceStatus.NO_MINIMUM
    values, sums = (np.where(failed, np.nan, each) for each in events)
    return YieldsResult(
        channels=model.names.channel_bins,
        rows=(*model.names.samples, *(name for name, _ in given)),
        groups=given,
        values=values,
        uncertainties=np.where(failed, np.nan, widths.bins),
        sums=sums,
        sum_uncertainties=np.where(failed, np.nan, widths.channels),
        acts=(members @ acts) > 0.0,
        data=np.asarray(data.main, float),
        code=np.asarray(code, np.int32),
        prediction="pre-fit" if found is None else prediction,
        prior=believed.prior,
    )


def _other(fitted: tuple[Model, Data]) -> Fitted:
    """Another model that was fitted, and its data.

    Raises:
        ArgumentError: it is something else.
    """
    remedy = "give what was fitted, fitted=(model, data)"
    check_kind("what was fitted", fitted, tuple, remedy, "pair")
    if len(fitted) != 2:
        message = f"what was fitted has {len(fitted)} parts: {remedy}"
        raise ArgumentError(message)
    check_inputs(*fitted, FitSettings())
    return Fitted(*fitted)


def _groups(model: Model, groups: Mapping[str, Iterable[str]]) -> Groups:
    """Names of the groups with those of their samples.

    Raises:
        UnknownNameError: there is no such sample.
        ArgumentError: a group is called as a sample, or they are not given by name.
    """
    remedy = 'give samples by the name of a group, {"top": ["ttbar", "Wt"]}'
    check_kind("groups", groups, Mapping, remedy, "dict")
    known, found = model.names.samples, []
    for name, given in groups.items():
        check_kind(
            f"group {name!r}", given, (list, tuple, set), remedy, "list of names"
        )
        if name in known:
            message = f"group {name!r} has the name of a sample: call it otherwise"
            raise ArgumentError(message)
        for sample in given:
            if sample not in known:
                error = unknown_name(
                    "sample", sample, known, f"the model, for {name!r}"
                )
                raise error
        found.append((name, tuple(dict.fromkeys(given))))
    return tuple(found)


def _members(model: Model, groups: Groups) -> Members:
    """Which samples each row has: each by itself, groups, and all."""
    names = model.names.samples
    rows = [[name in members for name in names] for _, members in groups]
    parts = [np.eye(len(names)), *([rows] if rows else []), np.ones((1, len(names)))]
    return np.concatenate([np.asarray(part, float) for part in parts])


def _acts(model: Model) -> Bool[np.ndarray, "sample channel"]:
    """Which samples may have events in a channel."""
    block = jax.tree.map(np.asarray, model.block)
    cells = block.nominal != 0.0
    cells = (
        cells | (block.histosys.odd != 0.0).any(0) | (block.histosys.even != 0.0).any(0)
    )
    channels = np.arange(len(model.names.channels))
    return cells @ (np.asarray(model.bin_channel)[:, None] == channels)


def _covariance(at: Fitted, result: Fit, run: Run) -> CovarianceResult:
    """How well a fit knows the parameters of its model.

    Raises:
        ArgumentError: it is no fit.
        ParameterError: it is one of another model.
    """
    remedy = "hfjax.fit(model, data) makes one"
    check_kind("the result", result, (FitResult, CovarianceResult), remedy, "fit")
    if result.sets != at.model.parameters.sets:
        message = (
            "the fit is one of another model, with other parameters: give that model "
            "and its data, fitted=(model, data)"
        )
        raise ParameterError(message)
    if isinstance(result, CovarianceResult):
        return result
    return covariance(at.model, at.data, result, run=run)


def _events(
    model: Model, believed: Believed, members: Members, run: Run
) -> tuple[Both, Both]:
    """Events of all rows, and their standard deviations; NaN where there is none."""
    found = spread(
        model, believed.params, directions(believed.covariance), members, run
    )
    unit = np.eye(believed.params.size)[believed.loose]
    if not unit.size:
        return found.events, Both(*(np.sqrt(each) for each in found.variances))
    unknown = spread(model, believed.params, unit, members, run).variances
    pairs = zip(found.variances, unknown, strict=True)
    widths = (np.where(free > 0.0, np.nan, np.sqrt(known)) for known, free in pairs)
    return found.events, Both(*widths)

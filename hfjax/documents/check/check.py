"""Check a workspace: what its schema accepts, and what will hurt a fit all the same."""

from collections.abc import Iterable, Iterator

from hfjax.documents.check.finding import SEVERITIES, Finding, Places, Spot
from hfjax.documents.check.names import name_findings
from hfjax.documents.check.poi import poi_findings
from hfjax.documents.check.predictions import (
    flat_findings,
    starting_channels,
    systematic_findings,
)
from hfjax.documents.check.reach import background_findings, start_findings
from hfjax.documents.check.refusals import Groups, gather, settle
from hfjax.documents.check.settings import degenerate_findings, setting_findings
from hfjax.documents.check.templates import observation_findings, template_findings
from hfjax.documents.check.uncertainties import uncertainty_findings
from hfjax.documents.parameters.derived import names_in_expressions
from hfjax.documents.parameters.parameter_sets import parameter_of_interest
from hfjax.documents.parameters.uses import collect
from hfjax.documents.workspace.workspace import Measurement, Workspace


def check(
    workspace: Workspace,
    measurement: str | int | None = None,
    poi_value: float = 1.0,
    background: Workspace | None = None,
) -> tuple[Finding, ...]:
    """Find what is valid in a workspace and will hurt, without building its model.

    Args:
        workspace: any workspace, a background-only one as well.
        measurement: name or position of the measurement to check; all by default.
        poi_value: the value of the parameter of interest that is to be tested.
        background: the workspace before a signal was added; see
            `hfjax.documents.parameters.parameter_sets.parameter_of_interest`.

    Returns:
        The findings, errors first, each once. An error says that there is no model, no
        likelihood anywhere, or no meaning in a test of `poi_value`.

    Raises:
        UnknownNameError: There is no such measurement.

    >>> mu = {"name": "mu", "type": "normfactor", "data": None}
    >>> signal = {"name": "signal", "data": [5, 0], "modifiers": [mu]}
    >>> config = {"poi": "mu", "parameters": [{"name": "mu", "fixed": True}]}
    >>> workspace = Workspace.parse({
    ...     "channels": [{"name": "SR", "samples": [signal]}],
    ...     "measurements": [{"name": "search", "config": config}],
    ...     "observations": [{"name": "SR", "data": [4, 1]}],
    ...     "version": "1.0.0",
    ... })
    >>> [(found.severity, found.kind) for found in check(workspace)]
    [('error', 'poi-fixed'), ('error', 'no-prediction'), ('note', 'nominal-zero')]
    """
    chosen = workspace.measurements
    if measurement is not None:
        chosen = (workspace.measurement(measurement),)
    places = Places(workspace)
    groups, refused = gather(workspace, places)
    found = [
        *refused,
        *observation_findings(workspace),
        *template_findings(workspace, places),
        *uncertainty_findings(workspace, places),
        *name_findings(workspace, places),
    ]
    for each in chosen:
        found += _measured(workspace, each, groups, places, poi_value, background)
    return ordered(found)


def _measured(
    workspace: Workspace,
    measurement: Measurement,
    defaults: Groups,
    places: Places,
    poi_value: float,
    background: Workspace | None,
) -> Iterator[Finding]:
    """Check what depends on a measurement."""
    index = workspace.measurement_names.index(measurement.name)
    spot = Spot(f"/measurements/{index}", {"measurement": measurement.name})
    known = frozenset(name for name, _ in workspace.modifiers)
    groups, refused = settle(defaults, measurement, spot)
    yield from refused
    poi = parameter_of_interest(tuple(groups.values()), measurement, background)
    used = names_in_expressions([measurement])
    yield from setting_findings(groups, measurement, spot, known, poi)
    if poi in groups or poi not in known:  # others are refused for another reason
        yield from poi_findings(groups, measurement, spot, poi, poi_value)
    normfactors = collect(workspace)["normfactor"]
    channels = starting_channels(workspace, groups)
    yield from start_findings(channels, groups, places)
    if poi not in used:  # which then changes other modifiers as well
        yield from background_findings(channels, groups, poi, places)
    # those in expressions change what other modifiers do as well
    alone = {name: group for name, group in groups.items() if name not in used}
    yield from degenerate_findings(alone, normfactors, poi, places)
    yield from systematic_findings(channels, alone, places)
    yield from flat_findings(channels, alone, poi, places)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with errors first, else in their order; each finding once."""
    unique = {(f.kind, f.pointer, f.why, *f.names.items()): f for f in findings}
    return tuple(sorted(unique.values(), key=lambda f: SEVERITIES.index(f.severity)))

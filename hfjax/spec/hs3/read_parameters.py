"""Measurements of a workspace, from the analyses of an HS3 document.

A measurement says only what differs from the defaults of the modifiers' types, unless
hfjax has written the document itself and left in it what the measurement had said.
"""

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from hfjax.errors import ModelError, SpecificationError
from hfjax.spec.channel import Channel, Observation
from hfjax.spec.hs3.bindings import bind
from hfjax.spec.hs3.columns import default_groups
from hfjax.spec.hs3.document import Analysis
from hfjax.spec.hs3.read_constraints import constraint_settings, lumi_settings
from hfjax.spec.hs3.read_modifiers import ModifierReader
from hfjax.spec.hs3.thresholds import stated_threshold, threshold_for
from hfjax.spec.measurement import Measurement, ParameterConfig, parse_measurement
from hfjax.spec.overrides import configured
from hfjax.spec.parameter_group import ParameterGroup
from hfjax.spec.workspace import Workspace

Settings = dict[str, Any]
"""Keys of a `ParameterConfig`."""


def read_measurements(
    reader: ModifierReader,
    channels: tuple[Channel, ...],
    observations: tuple[Observation, ...],
    analyses: Sequence[Analysis],
) -> tuple[Measurement, ...]:
    """Make a measurement of each analysis.

    Warns:
        UserWarning: An analysis has several parameters of interest.

    Raises:
        SpecificationError: An analysis fixes or constrains parameters as hfjax cannot.
        ModelError: Modifiers do not fit together.
    """
    bare = Workspace(channels, (Measurement(""),), observations)
    measurements = []
    for analysis in analyses:
        there = dataclasses.replace(
            reader, bounds=analysis.bounds, values=analysis.values
        )
        scope = _Scope.of(there, bare, analysis)
        measurements.append(_measurement(scope))
    return tuple(measurements)


@dataclasses.dataclass(frozen=True, slots=True)
class _Scope:
    """An analysis, the parameter sets of its likelihood, and their names in HS3."""

    reader: ModifierReader
    analysis: Analysis
    groups: Mapping[str, ParameterGroup]
    names: Mapping[str, list[str]]

    @classmethod
    def of(
        cls, reader: ModifierReader, bare: Workspace, analysis: Analysis
    ) -> "_Scope":
        """Find the parameter sets."""
        lumi = lumi_settings(reader, analysis)
        groups = default_groups(bare, lumi)
        return cls(reader, analysis, groups, bind(reader.uses, groups))


def _measurement(scope: _Scope) -> Measurement:
    derived = {name: _config(scope, name) for name in scope.groups}
    parameters = [
        found if config is None or found is not None else config
        for found, config in _agreeing(scope, derived)
    ]
    kept = tuple(found for found in parameters if found is not None)
    return Measurement(scope.analysis.name, _poi(scope), kept)

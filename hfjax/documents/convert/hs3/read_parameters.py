"""Measurements of a workspace, from the analyses of an HS3 document.

A measurement says only what differs from the defaults of the modifiers' types, unless
hfjax has written the document itself and left in it what the measurement had said.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from hfjax.documents.convert.hs3.bindings import bind
from hfjax.documents.convert.hs3.document import Analysis, entries
from hfjax.documents.convert.hs3.modifiers import ChannelNode
from hfjax.documents.convert.hs3.read_constraints import (
    Settings,
    close,
    constraint_settings,
    lumi_settings,
)
from hfjax.documents.convert.hs3.read_modifiers import ModifierReader
from hfjax.documents.convert.hs3.thresholds import smallest_kept, stated_threshold
from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.parameters.default_groups import default_groups
from hfjax.documents.parameters.overrides import configured
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import (
    Measurement,
    ParameterConfig,
    parse_measurement,
)
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError, SpecificationError


@dataclasses.dataclass(frozen=True, slots=True)
class MeasurementReader:
    """Makes measurements of analyses.

    Attributes:
        reader: Has read the modifiers.
        nodes: The channels as HS3 has them.
        bare: The workspace without measurements worth the name.
        remarks: Is told what is lost.
    """

    reader: ModifierReader
    nodes: tuple[ChannelNode, ...]
    bare: Workspace
    remarks: Remarks

    def measurement(self, analysis: Analysis) -> Measurement:
        """Make a measurement of an analysis.

        Raises:
            SpecificationError: It fixes or constrains parameters as hfjax cannot.
            ModelError: Modifiers do not fit together.
        """
        reader = dataclasses.replace(
            self.reader, bounds=analysis.bounds, values=analysis.values
        )
        try:
            lumi = lumi_settings(reader, analysis)
            groups = default_groups(self.bare)
            names = bind(reader.uses, groups)
            derived = [
                self._settings(reader, g, names[g.name], lumi) for g in groups.values()
            ]
        except SpecificationError as error:
            if error.pointer:
                raise
            outer = error.inside(f"analysis {analysis.name!r}", analysis.pointer)
            raise outer from None
        stated = self._stated(analysis.name)
        settings = agreed(groups, derived, stated)
        return Measurement(analysis.name, self._poi(analysis, names), settings)

    def _settings(
        self,
        reader: ModifierReader,
        group: ParameterGroup,
        names: Sequence[str],
        lumi: ParameterConfig | None,
    ) -> ParameterConfig:
        """What a measurement has to say about a parameter set."""
        if group.kind == "lumi" and lumi is not None:
            fixed = [reader.values[n].const for n in names if n in reader.values]
            return dataclasses.replace(lumi, fixed=True) if any(fixed) else lumi
        threshold = stated_threshold(group, self.nodes)
        settings = constraint_settings(reader, group, names, threshold)
        settings |= _fixed(reader, group, names, settings)
        base = configured(group, ParameterConfig(group.name, **settings))
        inits = [
            reader.values[name].value if name in reader.values else init
            for name, init in zip(names, base.inits, strict=True)
        ]
        bounds = [
            reader.bounds.get(name, pair)
            for name, pair in zip(names, base.bounds, strict=True)
        ]
        if not close(inits, base.inits):
            settings["inits"] = tuple(inits)
        if not close(_flat(bounds), _flat(base.bounds)):
            settings["bounds"] = tuple(bounds)
        return ParameterConfig(group.name, **settings)

    def _poi(self, analysis: Analysis, names: Mapping[str, list[str]]) -> str:
        """The parameter of interest; patches may bring it."""
        for name in analysis.pois[1:]:
            self.remarks.lost(
                "poi", analysis.pointer, f"parameter of interest {name!r}"
            )
        if not analysis.pois:
            return ""
        wanted = analysis.pois[0]
        return next((name for name, found in names.items() if wanted in found), wanted)

    def _stated(self, name: str) -> tuple[ParameterConfig, ...]:
        """What hfjax has left in the document of a measurement's settings."""
        settings = entries(self.reader.document.stated.get("settings", {}))
        config = {"poi": "", "parameters": settings.get(name, [])}
        try:
            return parse_measurement({"name": name, "config": config}).parameters
        except SpecificationError as error:
            place = error.pointer.removeprefix("/config/parameters")
            message = f"settings of {name!r} in misc/hfjax: {error.args[0]}"
            escaped = name.replace("~", "~0").replace("/", "~1")
            pointer = f"/misc/hfjax/settings/{escaped}{place}"
        raise SpecificationError(message, pointer)


def agreed(
    groups: Mapping[str, ParameterGroup],
    derived: Sequence[ParameterConfig],
    stated: Sequence[ParameterConfig],
) -> tuple[ParameterConfig, ...]:
    """Take settings as they are stated where they mean the same as those derived.

    Args:
        groups: parameter sets as their types have them.
        derived: what a document says of each, with what differs from its type's.
        stated: what a measurement had said, perhaps before the document was changed.
    """
    needed = {config.name: config for config in derived}
    kept = [
        config if config.name not in groups else _agreed(groups, needed, config)
        for config in stated
    ]
    known = {config.name for config in stated}
    kept += [config for config in derived if config.name not in known]
    return tuple(c for c in kept if c in stated or c != ParameterConfig(c.name))


def _agreed(
    groups: Mapping[str, ParameterGroup],
    needed: Mapping[str, ParameterConfig],
    stated: ParameterConfig,
) -> ParameterConfig:
    group, other = groups[stated.name], needed[stated.name]
    try:
        same = _alike(configured(group, stated), configured(group, other))
    except ModelError:
        same = False
    return stated if same else other


def _alike(a: ParameterGroup, b: ParameterGroup) -> bool:
    """Whether two parameter sets mean the same, whatever rounding does."""
    return (a.constraint, a.fixed) == (b.constraint, b.fixed) and all(
        close(x, y)
        for x, y in (
            (a.inits, b.inits),
            (_flat(a.bounds), _flat(b.bounds)),
            (a.auxdata, b.auxdata),
            (_slopes(a), _slopes(b)),
            ((a.shift,), (b.shift,)),
        )
    )


def _slopes(group: ParameterGroup) -> list[float]:
    """Widths; of a Poisson term, whose ``tau scale`` counts, for each unit."""
    if group.constraint == "poisson":
        return [width * group.scale for width in group.widths]
    return [*group.widths, group.scale]


def _flat(bounds: Sequence[tuple[Number, Number]]) -> list[Number]:
    return [end for pair in bounds for end in pair]


def _fixed(
    reader: ModifierReader,
    group: ParameterGroup,
    names: Sequence[str],
    settings: Settings,
) -> Settings:
    """Settings that fix the components that are constant.

    Raises:
        SpecificationError: Only some are, and not those of small uncertainty.
    """
    base = configured(group, ParameterConfig(group.name, **settings))
    values = [reader.values.get(name) for name in names]
    const = [bool(value and value.const) for value in values]
    said = [reader.references.get(name) for name in names]
    const = [
        c or bool(s and s.kind == "const") for c, s in zip(const, said, strict=True)
    ]
    fixed = [c or b for c, b in zip(const, base.fixed, strict=True)]
    if fixed == list(base.fixed):
        return {}
    if all(fixed):
        return {"fixed": True}
    threshold = smallest_kept(group, fixed)
    if threshold is not None:
        return {"threshold": threshold}
    free = [name for name, off in zip(names, fixed, strict=True) if not off]
    message = (
        f"of the parameters of {group.kind} {group.name!r}, {free} are free and the "
        "others constant, and hfjax fixes all or none: make all of them constant"
    )
    raise SpecificationError(message)

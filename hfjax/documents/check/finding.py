"""Findings: what is valid in a workspace and will hurt, where, why and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.workspace import Workspace

SEVERITIES: tuple[str, ...] = ("error", "warning", "note")
"""Errors make a model or a test impossible; warnings may hurt; notes are to know."""


class Kind(NamedTuple):
    """A kind of finding: how severe it is, and what to do about it."""

    severity: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a workspace that its user should know.

    Attributes:
        severity: error, warning or note.
        kind: A name that stays, such as "normsys-zero"; see `KINDS`.
        pointer: JSON pointer to the place in the document.
        names: What is there, by "channel", "sample", "modifier", "parameter",
            "measurement"; those that apply.
        why: One sentence that says what is wrong with it.
        remedy: What to do.

    >>> spot = Spot("/channels/0/samples/1", {"channel": "SR", "sample": "top"})
    >>> report("sample-empty", spot, "no bin has events").severity
    'warning'
    """

    severity: str
    kind: str
    pointer: str
    names: dict[str, str]
    why: str
    remedy: str

    def dump(self) -> dict[str, Any]:
        """Return the JSON object.

        >>> report("poi-none", Spot("/measurements/0", {}), "no POI").dump()["kind"]
        'poi-none'
        """
        return {
            "severity": self.severity,
            "kind": self.kind,
            "pointer": self.pointer,
            "names": dict(self.names),
            "why": self.why,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a workspace: its JSON pointer, and the names of what is there."""

    pointer: str
    names: dict[str, str]

    def inside(self, part: str, **names: str) -> "Spot":
        """Return a place inside of this one, with further names.

        >>> Spot("/observations/0", {"channel": "SR"}).inside("/data/2").pointer
        '/observations/0/data/2'
        """
        return Spot(self.pointer + part, {**self.names, **names})


class Places:
    """The places of a workspace by the names of what is there.

    Args:
        workspace: its channels, samples and modifiers are found by name, so that
            records which are used twice have two places.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._index: dict[tuple[str, ...], int] = {}
        self._first: dict[str, tuple[Channel, Sample, Modifier]] = {}
        self._settings: dict[str, str] = {}
        for i, measurement in enumerate(workspace.measurements):
            for j, config in enumerate(measurement.parameters):
                pointer = f"/measurements/{i}/config/parameters/{j}"
                self._settings.setdefault(config.name, pointer)
        for i, channel in enumerate(workspace.channels):
            self._index[channel.name,] = i
            for j, sample in enumerate(channel.samples):
                self._index[channel.name, sample.name] = j
                for k, modifier in enumerate(sample.modifiers):
                    key = (channel.name, sample.name, modifier.name, modifier.type)
                    self._index[key] = k

                    self._first.setdefault(modifier.name, (channel, sample, modifier))

    def parameter(self, name: str) -> Spot:
        """The first place of a parameter: a modifier, or else an entry for expressions.

        Args:
            name: name of a parameter set, or of one of its parameters: "gamma[1]".
        """
        key = name if name in self._first else name.rpartition("[")[0]
        if key in self._first:
            return self.modifier(*self._first[key]).inside("", parameter=name)
        return Spot(self._settings[name], {"parameter": name})

    def channel(self, channel: Channel) -> Spot:
        """The place of a channel."""
        index = self._index[channel.name,]
        return Spot(f"/channels/{index}", {"channel": channel.name})

    def sample(self, channel: Channel, sample: Sample) -> Spot:
        """The place of a sample in a channel."""
        return self.sample_named(channel.name, sample.name)

    def sample_named(self, channel: str, sample: str) -> Spot:
        """The place of a sample in a channel, by their names."""
        names = {"channel": channel, "sample": sample}
        i, j = self._index[channel,], self._index[channel, sample]
        return Spot(f"/channels/{i}/samples/{j}", names)

    def modifier(self, channel: Channel, sample: Sample, modifier: Modifier) -> Spot:
        """The place of a modifier of a sample."""
        key = (channel.name, sample.name, modifier.name, modifier.type)
        part = f"/modifiers/{self._index[key]}"
        return self.sample(channel, sample).inside(part, modifier=modifier.name)


def report(kind: str, spot: Spot, why: str) -> Finding:
    """Make a finding of a kind.

    Args:
        kind: a key of `KINDS`, which gives severity and remedy.
        spot: where it was found.
        why: what is wrong there.
    """
    severity, remedy = KINDS[kind]
    return Finding(severity, kind, spot.pointer, spot.names, why, remedy)


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by severity; every severity has a number.

    >>> count([report("poi-none", Spot("/measurements/0", {}), "no POI")])
    {'error': 0, 'warning': 0, 'note': 1}
    """
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding.severity] += 1
    return counts


def _kinds(severity: str, **remedies: str) -> dict[str, Kind]:
    return {
        key.replace("_", "-"): Kind(severity, remedy)
        for key, remedy in remedies.items()
    }


KINDS: dict[str, Kind] = {
    **_kinds(
        "error",
        not_finite="write finite numbers, or remove the template",
        data_not_finite="write the observed number of events",
        data_negative="write the observed number of events, which is zero or more",
        no_prediction="give a sample events in this bin, or remove the bin",
        prediction_negative="correct the negative templates, or merge bins",
        normsys_negative="use a histosys for a variation beyond -100 %, or zero",
        shapesys_shared="give the shapesys of each sample its own name",
        staterror_mismatch="name the staterror after its channel",
        name_conflict="rename one of the two",
        lumi_unconfigured="configure lumi in the measurement: inits, bounds, auxdata "
        "and sigmas",
        setting_foreign="remove the setting from the measurement",
        setting_length="give one number for each component",
        bounds_reversed="write the lower bound first",
        width_impossible="give a positive width, or set `fixed`",
        setting_not_finite="write finite numbers",
        init_outside_bounds="correct inits or bounds in the measurement",
        expression_refused="correct the expression, or remove it",
        poi_fixed="remove `fixed` from the parameter of interest",
        poi_several="name a parameter of interest with one component",
        poi_out_of_bounds="test a value inside, or widen the bounds in the measurement",
        poi_degenerate="remove the other normfactor, or set it `fixed`",
        fit_not_converged="correct what else was found, and look at the message",
    ),
    **_kinds(
        "warning",
        start_without_prediction="set inits that give events there: other programs "
        "have no likelihood where they start",
        start_negative="set inits that give no negative events: other programs have no "
        "likelihood where they start",
        no_background="add what is expected there without a signal, or remove the bin",
        nominal_negative="merge bins or samples until it is positive",
        sample_empty="remove the sample from this channel",
        normsys_zero="use a value above zero: programs differ in what zero means",
        normsys_crosses_zero="reduce the variation, or build the model with "
        "positive=True",
        normsys_product="merge or prune these systematics: fits find valleys there",
        variations_equal="symmetrise: hi up, lo down",
        enormous="check the template; merge, smooth or prune it",
        channel_negative="reduce the variation, or merge bins",
        sample_negative="reduce the variation, merge bins or samples, or smooth it",
        staterror_lost="merge bins, or put the uncertainty into a histosys",
        staterror_negative_nominal="merge bins or samples until every nominal is "
        "positive",
        staterror_wide="merge bins until the sample has more simulated events",
        shapesys_lost="merge bins, or put the uncertainty into a histosys",
        shapesys_wide="merge bins: a Poisson term with less than one auxiliary event "
        "hardly constrains",
        uncertainty_negative="write the absolute uncertainty in events",
        shapefactor_widths="use one name for each number of bins",
        shared_opposite="check the directions of hi and lo of the two",
        duplicate_systematics="keep one of them",
        normfactors_degenerate="remove one of them, or set it `fixed`",
        parameter_flat="remove the parameter, or set it `fixed`",
        bounds_pinned="set `fixed`, or give it room",
        bounds_narrow="widen the bounds to several standard deviations",
        poi_at_bound="widen the bounds of the parameter of interest",
        poi_constrained="name a normfactor as the parameter of interest",
        poi_no_effect="give the signal events",
        fit_flat_direction="fix or remove one of these parameters, or constrain it",
        fit_at_bound="widen its bounds if they mean nothing; else its uncertainty is "
        "one-sided",
        fit_negative_rate="reduce the variation, merge bins, or build the model with "
        "positive=True if normsys do it",
    ),
    **_kinds(
        "note",
        data_fractional="nothing, if the data are made up (Asimov)",
        observation_without_channel="remove it, unless a patch brings its channel",
        empty_bin="remove the bin, if no signal is expected in it either",
        nominal_zero="nothing, if the sample really has no events there",
        zero_effect="prune it",
        one_sided="nothing, if it is meant; else symmetrise",
        same_side="nothing, if it is meant; else symmetrise",
        histosys_zero_nominal="merge bins: no factor can scale an empty bin",
        uncertainty_zero="nothing, if the bin has no uncertainty; its parameter is "
        "fixed",
        staterror_across_channels="nothing, if it is meant; name a staterror after its "
        "channel otherwise",
        effects_differ="check the template where it is largest",
        names_alike="use one spelling if they are one thing",
        setting_unused="nothing, if a patch brings the parameter; else remove it",
        parameter_no_effect="prune it",
        init_off_centre="set auxdata as well if the constraint is meant to move",
        init_at_bound="start inside of the bounds",
        bounds_negative="set the lower bound to zero, unless negative yields are meant",
        poi_missing="add a signal by a patch, or name another parameter",
        poi_none="name one if a signal is to be tested",
        poi_spelling="write it as the modifier does: other programs refuse it",
        poi_negative="set the lower bound to zero if a test statistic needs it",
    ),
}
"""All kinds of findings; those that begin with fit- need a fit."""

"""Prune a workspace by size: drop systematic uncertainties that change nothing much."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

from hfjax.documents.edit.kept_parts import Rules, keep_parts
from hfjax.documents.edit.prune import modifier_names
from hfjax.documents.parameters.bin_uncertainties import relative_uncertainty
from hfjax.documents.parameters.derived import names_in_expressions
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.workspace import ParameterConfig, Workspace
from hfjax.errors import EditError

_INTERPOLATED = ("histosys", "normsys")


@dataclasses.dataclass(frozen=True, slots=True)
class SmallSystematic:
    """A systematic uncertainty in one channel, and how large it is.

    Attributes:
        modifier: Name of its modifiers.
        types: Their types: normsys, histosys or both, or shapesys, or staterror.
        channel: Name of the channel.
        samples: Names of the samples that have it: one, or all that share a staterror.
        effect: The largest relative change of a bin; see `prune_small`.
    """

    modifier: str
    types: tuple[str, ...]
    channel: str
    samples: tuple[str, ...]
    effect: float

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values.

        >>> SmallSystematic("JES", ("normsys",), "SR", ("top",), 0.002).dump()["effect"]
        0.002
        """
        return {
            "modifier": self.modifier,
            "types": list(self.types),
            "channel": self.channel,
            "samples": list(self.samples),
            "effect": self.effect,
        }


@dataclasses.dataclass(frozen=True, slots=True)
class SmallPruning:
    """A workspace without its small systematics, and what those were.

    Attributes:
        workspace: The workspace that is left.
        threshold: The relative effect that all that was dropped stays below.
        dropped: What was dropped, in the order of the document.
        parameters: Names that no modifier has any more, sorted.
    """

    workspace: Workspace
    threshold: float
    dropped: tuple[SmallSystematic, ...]
    parameters: tuple[str, ...]

    def dump(self) -> dict[str, Any]:
        """Return the report, without the workspace, as JSON values."""
        return {
            "threshold": self.threshold,
            "dropped": [found.dump() for found in self.dropped],
            "parameters": list(self.parameters),
        }


def prune_small(workspace: Workspace, threshold: float) -> SmallPruning:
    """Drop systematics whose relative effect on every bin stays below a threshold.

    What counts is one systematic in one channel and one sample:

    - normsys and histosys of one name together: the larger of
      ``|kappa(+-1) (nominal + delta(+-1)) / nominal - 1|``;
    - shapesys: ``uncertainty / nominal``, in bins where both are positive;
    - staterror: its width ``sqrt(sum_s uncertainty_s^2) / sum_s nominal_s``, which all
      samples share that have it in the channel, and which all of them lose together.

    A change of a bin without events is infinitely large. Kept whatever their size are
    parameters of interest, parameters in expressions, and parameters whose constraint a
    measurement changes (by auxdata, sigmas or factors): one standard deviation is then
    not what the templates show. What measurements say about parameters stays: patches
    may bring them back.

    Args:
        workspace: the workspace, which stays as it is.
        threshold: relative size, such as 0.005; positive.

    Raises:
        EditError: The threshold is not a positive number.

    >>> from hfjax.documents.workspace.workspace import Measurement, Observation
    >>> jes = Modifier("JES", "normsys", {"lo": 0.998, "hi": 1.001})
    >>> channel = Channel("SR", (Sample("top", (4,), (jes,)),))
    >>> ws = Workspace((channel,), (Measurement("m"),), (Observation("SR", (3,)),))
    >>> pruned = prune_small(ws, 0.005)
    >>> pruned.workspace.modifiers, pruned.parameters
    ((), ('JES',))
    >>> round(pruned.dropped[0].effect, 6)
    0.002
    """
    if not 0 < threshold < math.inf:
        message = f"the threshold must be a positive number such as 0.005: {threshold}"
        raise EditError(message)
    kept = _kept_names(workspace)
    dropped = tuple(
        [
            found
            for found in systematics(workspace)
            if _is_below(found.effect, threshold) and found.modifier not in kept
        ]
    )
    gone = {
        (found.channel, sample, found.modifier, kind)
        for found in dropped
        for sample in found.samples
        for kind in found.types
    }
    rules = Rules(modifier=lambda c, s, m: (c, s, m.name, m.type) not in gone)
    smaller = keep_parts(workspace, rules)
    names = set(modifier_names(workspace)) - set(modifier_names(smaller))
    return SmallPruning(smaller, threshold, dropped, tuple(sorted(names)))


def systematics(workspace: Workspace) -> Iterator[SmallSystematic]:
    """Yield every systematic of every sample with its size; see `prune_small`."""
    for channel in workspace.channels:
        for sample in channel.samples:
            yield from _interpolated(channel, sample)
            yield from _shapesys(channel, sample)
        yield from _staterrors(channel)


def _interpolated(channel: Channel, sample: Sample) -> Iterator[SmallSystematic]:
    together: dict[str, list[Modifier]] = {}
    for modifier in sample.modifiers:
        if modifier.type in _INTERPOLATED:
            together.setdefault(modifier.name, []).append(modifier)
    for name, modifiers in together.items():
        data = {modifier.type: modifier.data for modifier in modifiers}
        effects = [
            _change(value, nominal)
            for side in ("lo", "hi")
            for value, nominal in zip(
                _varied(sample, data, side), sample.data, strict=True
            )
        ]
        types = tuple(sorted(data))
        yield SmallSystematic(name, types, channel.name, (sample.name,), max(effects))


def _varied(
    sample: Sample, data: dict[str, dict[str, Any]], side: str
) -> Iterator[float]:
    """Rates of a sample at one standard deviation of a normsys, a histosys or both."""
    factor = float(data["normsys"][side]) if "normsys" in data else 1.0
    rates = data["histosys"][f"{side}_data"] if "histosys" in data else sample.data
    return (factor * rate for rate in rates)


def _shapesys(channel: Channel, sample: Sample) -> Iterator[SmallSystematic]:
    for modifier in sample.modifiers:
        if modifier.type == "shapesys":
            pairs = zip(modifier.data, sample.data, strict=True)
            effects = [_ratio(u, n) for u, n in pairs if u > 0 and n > 0]
            yield SmallSystematic(
                modifier.name,
                ("shapesys",),
                channel.name,
                (sample.name,),
                max(effects, default=0.0),
            )


def _staterrors(channel: Channel) -> Iterator[SmallSystematic]:
    carriers: dict[str, list[tuple[Sample, Modifier]]] = {}
    for sample in channel.samples:
        for modifier in sample.modifiers:
            if modifier.type == "staterror":
                carriers.setdefault(modifier.name, []).append((sample, modifier))
    for name, found in carriers.items():
        samples = tuple([sample.name for sample, _ in found])
        nominals = zip(*[sample.data for sample, _ in found], strict=True)
        errors = zip(*[modifier.data for _, modifier in found], strict=True)
        effect = max(map(_width, nominals, errors))
        yield SmallSystematic(name, ("staterror",), channel.name, samples, effect)


def _width(nominals: Sequence[Number], errors: Sequence[Number]) -> float:
    return _ratio(relative_uncertainty(nominals, errors), 1)


def _change(value: float, nominal: Number) -> float:
    return _ratio(value - nominal, nominal) if value != nominal else 0.0


def _is_below(effect: float, threshold: float) -> bool:
    """Whether an effect is smaller; one that is equal but for rounding is not."""
    return effect < threshold and not math.isclose(effect, threshold, rel_tol=1e-9)


def _ratio(part: Number, whole: Number) -> float:
    """Relative size; infinite where it is none, as in a bin without events."""
    size = abs(float(part) / whole) if whole else math.inf
    return math.inf if math.isnan(size) else size


def _kept_names(workspace: Workspace) -> set[str]:
    """Names of parameters that are no candidates, whatever their size."""
    configs = [p for found in workspace.measurements for p in found.parameters]
    pois = {found.poi for found in workspace.measurements}
    used = names_in_expressions(workspace.measurements)
    changed = {config.name for config in configs if _changes_constraint(config)}
    return pois | used | changed


def _changes_constraint(config: ParameterConfig) -> bool:
    harmless = {"name", "inits", "bounds", "fixed"}
    keys = {field.name for field in dataclasses.fields(config)} - harmless
    return any(getattr(config, key) is not None for key in keys)

"""From modifiers of HS3 to those of a workspace."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hfjax.documents.convert.hs3.columns import Term
from hfjax.documents.convert.hs3.document import HS3Document, Value, entries, entry
from hfjax.documents.convert.hs3.modifiers import (
    PER_BIN,
    ChannelNode,
    ModifierNode,
    SampleNode,
)
from hfjax.documents.convert.hs3.names import LUMI
from hfjax.documents.convert.hs3.read_terms import read_term
from hfjax.documents.convert.hs3.references import References
from hfjax.documents.convert.hs3.set_names import SetNames
from hfjax.documents.convert.hs3.shape_errors import (
    ShapeSysValues,
    absolute,
    sigma_of_bound,
)
from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.reading.json_values import Number, number, numbers
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.compose import compose_modifiers, repeated
from hfjax.errors import SpecificationError


@dataclass(frozen=True, slots=True)
class Use:
    """A modifier of HS3, and the parameter set that it has become.

    Attributes:
        node: The modifier.
        channel: The channel's name.
        name: The name of the parameter set.
    """

    node: ModifierNode
    channel: str
    name: str


@dataclass(frozen=True, slots=True)
class ModifierReader:
    """Makes channels of a workspace.

    Attributes:
        document: The document.
        references: What constrains the parameters.
        bounds: Bounds of parameters.
        values: Values of parameters and constants.
        meaning: What the numbers of a shapesys are; None to find out.
        composing: Is told which modifiers of one name become one; None to refuse them.
        names: Names of parameter sets.
        uses: All modifiers read so far.
    """

    document: HS3Document
    references: References
    bounds: Mapping[str, tuple[Number, Number]]
    values: Mapping[str, Value]
    meaning: ShapeSysValues | None = None
    composing: Remarks | None = None
    names: SetNames = field(default_factory=SetNames)
    uses: list[Use] = field(default_factory=list)

    def channels(self, nodes: tuple[ChannelNode, ...]) -> tuple[Channel, ...]:
        """Make channels; normfactors get their names first, which are as in HS3."""
        modifiers = [m for c in nodes for s in c.samples for m in s.modifiers]
        for node in modifiers:
            if node.type == "normfactor":
                self.names.scalar(node.parameters[0], self._factor_kind(node))
        return tuple(self._channel(node) for node in nodes)

    def term(self, parameter: str, distribution: str, pointer: str) -> Term:
        """Read the distribution that constrains a parameter."""
        found = self.document.distribution(distribution, pointer)
        return read_term(self.document, found, parameter, self.values)

    def _channel(self, node: ChannelNode) -> Channel:
        samples = []
        for index, each in enumerate(node.samples):
            try:
                samples.append(self._sample(node, each))
            except SpecificationError as error:
                if error.pointer.startswith(node.placed.pointer):
                    raise
                place = f"{node.placed.pointer}/samples/{index}"
                name = f"sample {each.name!r} of channel {node.name!r}"
                raise error.inside(name, place) from None
        try:
            return Channel(node.name, tuple(samples))
        except SpecificationError as error:
            name = f"channel {node.name!r}"
            raise error.inside(name, node.placed.pointer) from None

    def _sample(self, channel: ChannelNode, sample: SampleNode) -> Sample:
        modifiers = tuple(
            self._modifier(channel, sample, node) for node in sample.modifiers
        )
        if self.composing is not None:
            found = compose_modifiers(modifiers, sample.contents)
            for words in repeated(modifiers) if found != modifiers else ():
                what = f"{words} of sample {sample.name!r}"
                self.composing.noted("composed", channel.placed.pointer, what)
            modifiers = found
        return Sample(sample.name, sample.contents, modifiers)

    def _modifier(
        self, channel: ChannelNode, sample: SampleNode, node: ModifierNode
    ) -> Modifier:
        kind, data = node.type, None
        if kind == "normfactor":
            kind = self._factor_kind(node)
        elif kind == "normsys":
            data = {key: number(entry(node.data, key)) for key in ("lo", "hi")}
        elif kind == "histosys":
            data = {f"{key}_data": _shape(node, sample, key) for key in ("lo", "hi")}
        elif kind == "staterror":
            data = _errors(node, sample)
        elif (said := self._shape_errors(node, sample)) is not None:
            kind, data = "shapesys", said
        else:
            kind = "shapefactor"
        name = (
            self.names.row(node, kind, channel, sample)
            if kind in PER_BIN
            else self.names.scalar(node.parameters[0], kind)
        )
        self.uses.append(Use(node, channel.name, name))
        return Modifier(name, kind, data)

    def _factor_kind(self, node: ModifierNode) -> str:
        """A normfactor, or the luminosity, which is one that has a constraint."""
        (parameter,) = node.parameters
        if parameter not in self.references:
            return "normfactor"
        if parameter.lower() == LUMI.lower():
            return "lumi"
        message = (
            f"{node.where} has a constraint, and hfjax has only one factor that may, "
            f"the luminosity with the parameter {LUMI!r}: make it a normsys"
        )
        raise SpecificationError(message, node.pointer)

    def _shape_errors(
        self, node: ModifierNode, sample: SampleNode
    ) -> tuple[Number, ...] | None:
        """Absolute uncertainties of a shapesys; None of what is a shapefactor.

        HS3 takes the two for the same: what has no constraint is free.
        """
        said = [self.references.get(name) for name in node.parameters]
        known = "uncertainties" in node.data
        if not known and all(s is None or s.kind in ("const", "none") for s in said):
            vals = numbers(node.data["vals"]) if "vals" in node.data else ()
            if any(vals) and None in said:
                message = f"{node.where} has vals and nothing that constrains: add one"
                raise SpecificationError(message, node.pointer)
            return None
        sigmas = [self._relative(name, node) for name in node.parameters]
        if known or "vals" in node.data:
            hints = (sigmas, [self._sigma_of_bound(name) for name in node.parameters])
            return absolute(node, sample.contents, hints, self.meaning)
        if None in sigmas:
            message = f"{node.where} has no vals, nor distributions that constrain it"
            raise SpecificationError(message, node.pointer)
        pairs = zip(sample.contents, sigmas, strict=True)
        return tuple(nominal * (sigma or 0.0) for nominal, sigma in pairs)

    def _sigma_of_bound(self, parameter: str) -> float | None:
        pair = self.bounds.get(parameter)
        return None if pair is None else sigma_of_bound(pair[1])

    def _relative(self, parameter: str, node: ModifierNode) -> float | None:
        """Relative uncertainty of a bin, from its constraint term; None without one."""
        said = self.references.get(parameter)
        if said is None or not said.distribution:
            return 0.0 if said and said.kind in ("none", "const") else None
        term = self.term(parameter, said.distribution, node.pointer)
        if not term.kind and term.width == 0:  # of a bin without events
            return 0.0
        if term.shift != 0 or not term.width > 0:
            message = f"{node.where}: {said.distribution!r} does not scale a bin"
            raise SpecificationError(message, node.pointer)
        if term.kind == "poisson":
            return float(term.width) ** -0.5
        return math.expm1(term.width) if term.kind == "lognormal" else term.width


def _shape(node: ModifierNode, sample: SampleNode, key: str) -> tuple[Number, ...]:
    found = numbers(entry(entries(entry(node.data, key)), "contents"))
    _check_length(node, found, sample, f"/data/{key}/contents")
    return found


def _errors(node: ModifierNode, sample: SampleNode) -> tuple[Number, ...]:
    """Uncertainties of a sample, which the staterror of its channel combines."""
    if sample.errors is None:
        message = f"{node.where} needs the errors of its sample, which has none"
        raise SpecificationError(message, node.pointer.rpartition("/modifiers")[0])
    _check_length(node, sample.errors, sample, "")
    return sample.errors


def _check_length(
    node: ModifierNode, found: tuple[Number, ...], sample: SampleNode, place: str
) -> None:
    if len(found) != len(sample.contents):
        message = (
            f"{node.where} has {len(found)} numbers for {len(sample.contents)} bins"
        )
        raise SpecificationError(message, node.pointer + place)

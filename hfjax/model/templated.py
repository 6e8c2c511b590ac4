"""Models with other templates: yields, variations and uncertainties by name."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array
from hfjax.errors import ArgumentError, DataError, ModelError, check_kind
from hfjax.model.constraints import (
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
)
from hfjax.model.data import Data
from hfjax.model.names import Names
from hfjax.model.parameters import Parameters, Value
from hfjax.model.places import NOMINAL, Place, Where
from hfjax.model.sample_block import SampleBlock
from hfjax.model.templates import Parts, Sources, Templates, following, templates_of
from hfjax.model.tracing import is_known

T = TypeVar("T", bound="Templated")

BY_PLACE = 'name channel and sample: {("SR", "signal"): [1.0, 2.0]}'


class Templated(eqx.Module):
    """The part of a model that follows from templates.

    Published uncertainties are absolute. With other yields of a sample, its histosys
    still lead to the same events, and the uncertainties of its bins stay what they are;
    even parts, widths of staterror, auxiliary events of shapesys, and which bins are
    fixed for want of an uncertainty, follow; also in ``jit``, ``vmap`` and ``grad``.

    What is known of several valleys stays that of the workspace: where templates change
    so much that other systematics are lopsided, build the model of another workspace.

    Attributes:
        block: stacked samples.
        bin_channel: position of the channel of each bin.
        gaussian: Gaussian constraint terms.
        poisson: Poisson constraint terms.
        lognormal: log-normal constraint terms.
        parameters: names, initial values, bounds and fixed flags.
        names: what the axes stand for.
        sources: how it follows from templates; None in batches and without names.
    """

    block: eqx.AbstractVar[SampleBlock]
    bin_channel: eqx.AbstractVar[Int[Array, " bin"]]
    gaussian: eqx.AbstractVar[GaussianConstraints]
    poisson: eqx.AbstractVar[PoissonConstraints]
    lognormal: eqx.AbstractVar[LogNormalConstraints]
    parameters: eqx.AbstractVar[Parameters]
    names: eqx.AbstractVar[Names]
    sources: eqx.AbstractVar[Sources | None]

    @property
    def templates(self) -> Templates:
        """Events, variations and uncertainties that it is made of, as arrays.

        Raises:
            ModelError: it was not built from a workspace by itself.
        """
        return templates_of(self.block, self._sources)

    def with_templates(self: T, templates: Templates) -> T:
        """The same model of other templates, from which everything else follows.

        Args:
            templates: of the same shapes; `templates` has those that it is made of.

        Raises:
            ModelError: it was not built from a workspace by itself.

        Example:
            >>> import equinox as eqx, hfjax
            >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
            >>> model, data = hfjax.build(workspace)
            >>> own = model.templates
            >>> twice = eqx.tree_at(lambda t: t.nominal, own, 2.0 * own.nominal)
            >>> model.with_templates(twice).poisson.factor.tolist()
            [100.0]
        """
        known = (self.block, self.gaussian, self.poisson, self.lognormal)
        found = following(Parts(*known, self.parameters, self._sources), templates)
        return dataclasses.replace(self, **found._asdict())

    def with_yields(self: T, yields: Mapping[Where, Value]) -> T:
        """The same model with other nominal events of samples.

        Args:
            yields: events in each bin, by the names of channel and sample.

        Raises:
            UnknownNameError: there is no such sample; close names are given.
            DataError: there is not one number for each bin, or one is not finite.
            ModelError: it was not built from a workspace by itself.

        Example:
            >>> import jax, hfjax
            >>> made = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
            >>> model, data = hfjax.build(made)
            >>> def logpdf(signal):
            ...     changed = model.with_yields({("singlechannel", "signal"): signal})
            ...     return changed.logpdf(model.parameters.init, data)
            >>> jax.grad(logpdf)(jax.numpy.array([3.0])).tolist()
            [0.125]
        """
        check_kind("yields", yields, Mapping, BY_PLACE, "dict")
        own = self.templates
        nominal = own.nominal
        for where, values in yields.items():
            place = Place(NOMINAL, "", *_named(where))
            row, bins = self._position(place), self._bins(place.channel)
            nominal = _put(nominal, (row, bins), _numbers(place, values, bins))
        changed = eqx.tree_at(lambda t: t.nominal, own, nominal)
        return self.with_templates(changed)

    def with_variation(
        self: T, name: str, variations: Mapping[Where, tuple[Value, Value]]
    ) -> T:
        """The same model with other variations of a histosys or normsys.

        Args:
            name: of the systematic.
            variations: at -1 and at +1, by the names of channel and sample: events in
                each bin for a histosys, two factors for a normsys. Where both act on a
                sample, lists are for the histosys, and numbers for the normsys.

        Raises:
            UnknownNameError: it does not act on such a sample; close names are given.
            DataError: there is not one number for each bin, or one is not finite, or a
                factor is negative.
            ModelError: it was not built from a workspace by itself.

        Example:
            >>> import jax, hfjax
            >>> jes = hfjax.normsys("JES", 0.9, 1.1)
            >>> channel = hfjax.channel("SR", hfjax.sample("top", [50.0], jes))
            >>> model, _ = hfjax.build(hfjax.workspace([channel], {"SR": [50.0]}))
            >>> wider = model.with_variation("JES", {("SR", "top"): (0.8, 1.2)})
            >>> float(wider.expected_data(jax.numpy.ones(1)).main[0])
            60.0
        """
        check_kind("variations", variations, Mapping, BY_PLACE, "dict")
        own = self.templates
        for where, pair in variations.items():
            kind = self._kind(name, _named(where), pair)
            own = self._varied(own, Place(kind, name, *where), pair)
        return self.with_templates(own)

    def with_uncertainty(self: T, name: str, uncertainties: Mapping[Where, Value]) -> T:
        """The same model with other uncertainties of a staterror or shapesys.

        Args:
            name: of the modifier.
            uncertainties: absolute ones, in events, in each bin, by the names of
                channel and sample; a bin that is without any is fixed.

        Raises:
            UnknownNameError: it does not act on such a sample; close names are given.
            DataError: there is not one number for each bin, or one is negative or not
                finite.
            ModelError: it was not built from a workspace by itself.

        Example:
            >>> import hfjax
            >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
            >>> model, data = hfjax.build(workspace)
            >>> place = ("singlechannel", "background")
            >>> model = model.with_uncertainty("uncorr_bkguncrt", {place: [0.5]})
            >>> model.with_nominal_auxiliary(data).aux.tolist()
            [100.0]
        """
        check_kind("uncertainties", uncertainties, Mapping, BY_PLACE, "dict")
        own = self.templates
        changed = own.uncertainty
        for where, values in uncertainties.items():
            kinds = "shapesys", "staterror"
            kind = self._sources.places.types(name, _named(where), kinds)[0]
            place = Place(kind, name, *where)
            first, bins = self._position(place), self._bins(place.channel)
            cells = slice(first, first + bins.stop - bins.start)
            numbers = _numbers(place, values, bins, least=0.0)
            changed = _put(changed, cells, numbers)
        return self.with_templates(eqx.tree_at(lambda t: t.uncertainty, own, changed))

    def with_nominal_auxiliary(self, data: Data) -> Data:
        """The same counts with this model's nominal auxiliary data.

        Those of a shapesys are ``(nu / u)^2`` events, with the nominal events and their
        uncertainty: they follow from templates.

        Args:
            data: of a model with the same channels and parameters.

        Raises:
            ModelError: it was not built from a workspace by itself.
        """
        return eqx.tree_at(lambda d: d.aux, data, self._sources.aux)

    @property
    def _sources(self) -> Sources:
        """How it follows from templates.

        Raises:
            ModelError: it was not built from a workspace by itself.
        """
        if self.sources is None:
            message = (
                "a model without names, or of a batch, does not know its templates: "
                "change the one that hfjax.build makes of a workspace or patch"
            )
            raise ModelError(message)
        return self.sources

    def _position(self, place: Place) -> int:
        return self._sources.places.position(place)

    def _bins(self, channel: str) -> slice:
        """Which bins are those of a channel that exists."""
        at = self.names.channels.index(channel)
        start = sum(self.names.bins[:at])
        return slice(start, start + self.names.bins[at])

    def _kind(self, name: str, where: Where, pair: object) -> str:
        """Whether the variations are those of a histosys or of a normsys."""
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            message = (
                f"the variations of {name!r} are a pair, at -1 and at +1: give "
                '{("SR", "top"): (lo, hi)}'
            )
            raise ArgumentError(message)
        types = self._sources.places.types(name, where, ("histosys", "normsys"))
        return types[0] if len(types) == 1 or np.ndim(pair[0]) else "normsys"

    def _varied(
        self, own: Templates, place: Place, pair: tuple[Value, Value]
    ) -> Templates:
        """Templates with other variations of one sample in one channel."""
        if place.type == "normsys":
            at, one = self._position(place), slice(0, 1)
            lo, hi = (_numbers(place, value, one, least=0.0)[0] for value in pair)
            return eqx.tree_at(
                lambda t: (t.factor_lo, t.factor_hi),
                own,
                (_put(own.factor_lo, at, lo), _put(own.factor_hi, at, hi)),
            )
        row, bins = self._position(place), self._bins(place.channel)
        sample = self._position(Place(NOMINAL, "", *place[2:]))
        lo, hi = (_numbers(place, value, bins) for value in pair)
        cells = row, sample, bins
        changed = _put(own.lo, cells, lo), _put(own.hi, cells, hi)
        return eqx.tree_at(lambda t: (t.lo, t.hi), own, changed)


def _named(where: Any) -> Where:
    """The names of a channel and a sample.

    Raises:
        ArgumentError: it is something else.
    """
    if isinstance(where, tuple) and len(where) == 2:
        return where
    message = f"{where!r} is no sample in a channel: {BY_PLACE}"
    raise ArgumentError(message)


def _put(array: Array, place: Any, values: Array) -> Array:
    """An array with other values at a place."""
    return jnp.asarray(array).at[place].set(values)


def _numbers(place: Place, values: Value, bins: slice, least: float = -np.inf) -> Array:
    """One number for each bin.

    Raises:
        DataError: there are more or fewer, or one is not finite or too low.
    """
    size = bins.stop - bins.start
    what = f"{place.type} {place.name!r} of " if place.name else ""
    named = f"{what}sample {place.sample!r} in channel {place.channel!r}"
    if np.size(values) != size:
        message = (
            f"{np.size(values)} numbers for {named}, which takes {size}: give one for "
            "each bin"
        )
        raise DataError(message)
    if is_known(values):
        try:
            known = np.asarray(values, float)
        except (TypeError, ValueError):
            message = f"{values!r} for {named}: these are no numbers"
            raise DataError(message) from None
        if not np.all(np.isfinite(known) & (known >= least)):
            rule = "finite and not negative" if least == 0.0 else "finite"
            message = f"{np.ravel(known).tolist()} for {named}: they have to be {rule}"
            raise DataError(message)
    return jnp.reshape(jnp.asarray(values, float), size)

"""The model: rates, constraint terms and parameters of one likelihood, as a pytree."""

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int, PRNGKeyArray

from hfjax.arrays import Array, Factors, Params, Rates, SampleRates, Scalar, ScalarInt
from hfjax.errors import DataError, check_kind, several_components
from hfjax.model.chosen import Chosen
from hfjax.model.constraints import (
    Aux,
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
    poisson_logpdf,
)
from hfjax.model.data import Data, check_channels, data_of
from hfjax.model.derivation import Derivation
from hfjax.model.local_parameters import LocalParameters
from hfjax.model.lookup import Lookup
from hfjax.model.names import Names
from hfjax.model.parameters import Parameters, Value
from hfjax.model.pure_method import pure_method
from hfjax.model.sample_block import SampleBlock
from hfjax.model.templated import Templated
from hfjax.model.templates import Sources
from hfjax.model.tracing import is_known
from hfjax.model.valley_sources import Crossings, Lopsided, Surges

Constraints = GaussianConstraints | PoissonConstraints | LogNormalConstraints


AS_PACKED = "give an array, as `parameters.pack` makes it of values by name"
_NOMINAL: Mapping[str, Value] = MappingProxyType({})


class Model(Chosen, Templated):
    """A HistFactory likelihood: immutable, every array a leaf, every method pure.

    Methods take one vector of parameters and one data set; `jax.vmap` makes them take
    many. A model is an argument to compiled functions, so that models of equal shape
    share a compilation: ``jax.jit(Model.logpdf)(model, params, data)``.

    Attributes:
        block: stacked samples.
        bin_channel: position of the channel of each bin.
        bin_present: bins that count; a signal hypothesis may remove channels.
        gaussian: Gaussian constraint terms.
        poisson: Poisson constraint terms.
        lognormal: log-normal constraint terms; none in a plain workspace.
        parameters: names, initial values, bounds and fixed flags.
        lookup: where the parts are found that act through a parameter.
        crossings: where normsys polynomials cross zero.
        lopsided: parameters that may give the likelihood several valleys.
        surges: directions of several parameters that may do so.
        poi: position of the parameter of interest, -1 where there is none.
        names: what the axes stand for.
        derivation: factors that are functions of parameters; None without any.
        local: parameters that act in one bin alone, where fits eliminate them.
        sources: how it follows from templates; None in batches and without names.

    Example:
        >>> import hfjax
        >>> mu = {"name": "mu", "type": "normfactor", "data": None}
        >>> signal = {"name": "signal", "data": [3.0, 4.0], "modifiers": [mu]}
        >>> top = {"name": "top", "data": [1.0, 2.0], "modifiers": []}
        >>> config = {"poi": "mu", "parameters": []}
        >>> workspace = {
        ...     "channels": [{"name": "SR", "samples": [signal, top]}],
        ...     "observations": [{"name": "SR", "data": [2.0, 5.0]}],
        ...     "measurements": [{"name": "search", "config": config}],
        ...     "version": "1.0.0",
        ... }
        >>> model, data = hfjax.build(hfjax.Workspace.parse(workspace))
        >>> params = jnp.array([0.5])
        >>> model.expected_rates(params).tolist()
        [[1.5, 2.0], [1.0, 2.0]]
        >>> model.expected_data(params).main.tolist()
        [2.5, 4.0]
        >>> round(float(model.logpdf(params, data)), 12)
        -3.216585653994
        >>> round(float(jax.grad(model.logpdf)(params, data)[0]), 12)
        0.4
        >>> model.sample(jax.random.key(1), params).main.shape
        (2,)
    """

    block: SampleBlock
    bin_channel: Int[Array, " bin"]
    bin_present: Bool[Array, " bin"]
    gaussian: GaussianConstraints
    poisson: PoissonConstraints
    lognormal: LogNormalConstraints
    parameters: Parameters
    lookup: Lookup
    crossings: Crossings
    lopsided: Lopsided
    surges: Surges
    poi: ScalarInt
    names: Names
    derivation: Derivation | None = eqx.field(static=True, default=None)
    local: LocalParameters | None = None
    sources: Sources | None = None

    def __repr__(self) -> str:
        """What is in it, in three lines; of a model without names, the shapes."""
        shown = self.names.summary(self.parameters.init.shape[-1])
        return shown if self.names.channels else eqx.tree_pformat(self)

    @property
    def is_traced(self) -> bool:
        """Whether it is inside ``jit`` or ``vmap``, or a batch: no value is known."""
        own = self.parameters
        known = (self.poi, own.fixed, own.lower, own.upper)
        return np.ndim(self.poi) > 0 or not is_known(known)

    @property
    def poi_name(self) -> str | None:
        """Name of the parameter of interest, None where the model has none.

        Raises:
            ModelError: the measurement names one with several components.
        """
        named = self.names.poi
        for each in self.parameters.sets:
            if each.name == named and each.size > 1:
                raise several_components(each.name, each.size)
            if named in (each.name, *each.names):
                return named
        return None

    @property
    def poi_constrained(self) -> bool:
        """Whether the parameter of interest has a constraint term."""
        return any(int(self.poi) in np.asarray(c.index) for c in self.constraints)

    @property
    def constraints(self) -> tuple[Constraints, ...]:
        """The kinds of constraint terms that the model has, and Gaussian and Poisson.

        A plain workspace has no log-normal terms: its programs know nothing of them.
        """
        plain = self.gaussian, self.poisson
        return (*plain, self.lognormal) if self.lognormal.index.size else plain

    def anonymous(self) -> "Model":
        """The same model without names: models of equal shape share compilations."""
        parameters = dataclasses.replace(self.parameters, sets=())
        return dataclasses.replace(
            self, parameters=parameters, names=Names(), sources=None
        )

    @pure_method
    def expected_rates(self, params: Params) -> SampleRates:
        """Expected events of each sample in each bin.

        ``nu_sb = [prod_k kappa_ksb] (nominal_sb + sum_j delta_jsb)``,
        CERN-OPEN-2012-016 eq. 2.

        Args:
            params: parameter values, in the order of ``parameters.names``.

        Returns:
            Events, samples in the order of ``names.samples``.

        Raises:
            ParameterError: there is not one value for each parameter.
            ArgumentError: the parameter values are no array.
        """
        check_kind("params", params, Array, AS_PACKED, "vector")
        self.parameters.check(jnp.shape(params))
        factors = self.with_derived(params)
        return self.block.rates(factors, self.bin_channel)

    def with_derived(self, params: Params) -> Factors:
        """Parameters, and behind them what expressions make of them."""
        if self.derivation is None:
            return params
        return jnp.concatenate([params, self.derivation.values(params)])

    def derived_parameters(self, params: Params) -> dict[str, Scalar]:
        """Values of the parameters that expressions give, by name.

        Args:
            params: parameter values, in the order of ``parameters.names``.
        """
        if self.derivation is None:
            return {}
        values = self.derivation.values(params)
        return dict(zip(self.names.derived, values, strict=True))

    @pure_method
    def expected_data(self, params: Params) -> Data:
        """Expected main and auxiliary data: the Asimov data set of ``params``.

        ``sum_s nu_sb`` in each bin; ``theta``, ``gamma tau`` or ``beta`` for each
        constraint term, at which it is largest for these very parameters.

        Args:
            params: parameter values, in the order of ``parameters.names``.

        Raises:
            ParameterError: there is not one value for each parameter.
        """
        aux = [terms.expected(params) for terms in self.constraints]
        return self.named(Data(self._main(params), self._aux(aux)))

    @pure_method
    def logpdf(self, params: Params, data: Data) -> Scalar:
        """Logarithm of the probability density of a data set, all constants included.

        ``sum_b ln Poisson(n_b; nu_b) + sum_j ln Normal(a_j; theta_j, sigma_j)
        + sum_k ln Poisson(a_k; gamma_k tau_k)``, CERN-OPEN-2012-016 eq. 1, and the
        log-normal terms of an extended workspace.

        Args:
            params: parameter values, in the order of ``parameters.names``.
            data: main and auxiliary data.

        Returns:
            The log-density; -inf where a bin with events has no expected rate, where a
            rate is negative, and where an expression has no value.

        Raises:
            ParameterError: there is not one value for each parameter.
            DataError: the data have another shape than the model.
        """
        self.check_data(data)
        main = poisson_logpdf(data.main, self._main(params))
        total = jnp.sum(jnp.where(self.bin_present, main, 0.0))
        for terms in self.constraints:
            total = total + terms.logpdf(params, data.aux)
        return total

    @pure_method
    def sample(self, key: PRNGKeyArray, params: Params) -> Data:
        """Draw one data set, main and auxiliary.

        Args:
            key: a JAX random key; equal keys give equal data.
            params: parameter values to draw at.

        Returns:
            Poisson counts in each bin, and of auxiliary data with a Poisson term;
            normal or log-normal auxiliary data for the others.

        Raises:
            ParameterError: there is not one value for each parameter.
        """
        main, *keys = *jax.random.split(key, 3), jax.random.fold_in(key, 3)
        counts = jax.random.poisson(main, jnp.maximum(self._main(params), 0.0))
        pairs = zip(self.constraints, keys, strict=False)
        aux = [terms.sample(own, params) for terms, own in pairs]
        return self.named(Data(counts.astype(params.dtype), self._aux(aux)))

    def data(
        self,
        counts: Mapping[str, Value],
        auxiliary: Mapping[str, Value] = _NOMINAL,
    ) -> Data:
        """A data set of counts by the names of channels.

        Args:
            counts: events in each bin of every channel.
            auxiliary: auxiliary data by the names of parameters (``JES``,
                ``gamma[1]``); nominal ones where none is given.

        Raises:
            UnknownNameError: there is no such channel or parameter.
            DataError: a channel is missing, or has another number of bins; or the
                model has no names.

        Example:
            >>> import hfjax
            >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
            >>> model, _ = hfjax.build(workspace)
            >>> data = model.data({"singlechannel": [7.0]})
            >>> data["singlechannel"].tolist(), list(data.auxiliary)
            ([7.0], ['uncorr_bkguncrt[0]'])
        """
        made = data_of(counts, self.names.channel_bins, dict(self.names.auxdata))
        if self.sources is not None:
            made = self.with_nominal_auxiliary(made)
        return made.with_auxiliary(auxiliary)

    def named(self, data: Data) -> Data:
        """The same data, or a batch, with the names of this model."""
        return data.with_names(self.names.channel_bins, tuple(dict(self.names.auxdata)))

    def check_data(self, data: Data) -> None:
        """Refuse data of another shape than the model's, or of other channels.

        Data that do not say which channels they are of are taken in the order of the
        model, with a warning where there are several.

        Raises:
            DataError: with both shapes, or both orders of channels.
        """
        check_kind("data", data, Data, "model.data({...}) makes them")
        aux = sum(terms.index.size for terms in self.constraints)
        wanted = (self.bin_channel.size,), (aux,)
        if (data.main.shape, data.aux.shape) != wanted:
            message = (
                f"main data of shape {data.main.shape} and auxiliary data of shape "
                f"{data.aux.shape} for a model that needs {wanted[0]} and {wanted[1]}: "
                "use data built with it, and jax.vmap for many data sets"
            )
            raise DataError(message)
        check_channels(self.names.channel_bins, data)

    def _main(self, params: Params) -> Rates:
        return jnp.sum(self.expected_rates(params), axis=0)

    def _aux(self, terms: Sequence[Array]) -> Aux:
        """Put the auxiliary data of all kinds of terms at their positions."""
        aux = jnp.zeros(sum(found.size for found in terms), terms[0].dtype)
        for kind, found in zip(self.constraints, terms, strict=True):
            aux = aux.at[kind.position].set(found)
        return aux

"""A HistFactory likelihood evaluated by loops over channels, samples and bins.

`HistFactory(workspace)` takes the workspace as `json.load` gives it and answers with
plain lists and numbers. It is slow on purpose: each method is one formula of the
HistFactory definition (K. Cranmer et al., CERN-OPEN-2012-016) in its most direct
form, so that it can bear witness for the library. Nothing of the library is used.
"""

import contextlib
import math
import re
from collections.abc import Sequence

import numpy as np

from tests.reference import interpolation
from tests.reference.parameters import (
    Document,
    ParameterSet,
    channel_names,
    collect,
    find_sample,
    free_set,
    modifiers_of,
    n_bins,
    override,
    sample_names,
)


class HistFactory:
    """One measurement of a workspace.

    Args:
        workspace: the document, with any patch already applied.
        measurement: name of the measurement, or None for the first.
        normsys: "code1" or "code4".
        histosys: "code0", "code2" or "code4p".
    """

    def __init__(
        self,
        workspace: Document,
        measurement: str | None = None,
        *,
        normsys: str = "code4",
        histosys: str = "code4p",
    ) -> None:
        """Collect the parameters; rates and densities are computed when asked."""
        self.spec = workspace
        self.measurement = find_measurement(workspace, measurement)
        self.multiplicative = interpolation.MULTIPLICATIVE[normsys]
        self.additive = interpolation.ADDITIVE[histosys]
        entries = self.measurement["config"]["parameters"]
        overrides = {entry["name"]: entry for entry in entries}
        if len(overrides) < len(entries):
            message = "two entries of the measurement for one parameter"
            raise ValueError(message)
        self.formulas = {
            entry["name"]: entry["expression"]
            for entry in entries
            if "expression" in entry
        }
        self.sets = self.without_given(collect(workspace, overrides), overrides)
        self.channels = channel_names(workspace)
        self.samples = sample_names(workspace)

    def without_given(self, sets: list, overrides: dict) -> list:
        """Leave out what expressions give; put what only they use after normfactors.

        That an expression uses a parameter is read from its characters: names in these
        tests are words.
        """
        if not self.formulas:
            return sets
        known = {each.name for each in sets} | set(self.formulas)
        words = {w for text in self.formulas.values() for w in re.findall(r"\w+", text)}
        names = [name for name in overrides if name in words - known]
        more = [override(free_set(name, None), overrides[name]) for name in names]
        kept = [each for each in sets if each.name not in self.formulas]
        first = ("histosys", "lumi", "normfactor")
        before = {name for kind in first for name in self.names_of(kind)}
        place = sum(each.name in before for each in kept)
        return kept[:place] + more + kept[place:]

    def names_of(self, kind: str) -> set[str]:
        """Names of the modifiers of a type."""
        return {
            modifier["name"]
            for channel in self.spec["channels"]
            for sample in channel["samples"]
            for modifier in modifiers_of(sample, kind)
        }

    # -- parameters ---------------------------------------------------------------

    @property
    def parameter_names(self) -> list[str]:
        """Names of all parameters in the order of the vector."""
        return [name for each in self.sets for name in each.parameter_names]

    @property
    def init(self) -> list[float]:
        """Start values."""
        return [value for each in self.sets for value in each.inits]

    @property
    def bounds(self) -> list[list[float]]:
        """[lower, upper] of each parameter."""
        return [pair for each in self.sets for pair in each.bounds]

    @property
    def fixed(self) -> list[bool]:
        """Whether each parameter is held at its start value."""
        return [flag for each in self.sets for flag in each.fixed]

    @property
    def auxdata(self) -> list[float]:
        """Auxiliary data, in parameter order, of the constrained sets."""
        return [value for each in self.sets for value in each.auxdata]

    @property
    def poi(self) -> int | None:
        """Index of the parameter of interest, None where there is none."""
        name = self.measurement["config"]["poi"]
        for each in self.sets:
            if each.name == name and len(each.inits) == 1:
                return self.start(each)
        return None

    def start(self, parameter_set: ParameterSet) -> int:
        """Index of the first component of a set."""
        names = [each.name for each in self.sets]
        before = self.sets[: names.index(parameter_set.name)]
        return sum(len(each.inits) for each in before)

    def unpack(self, params: Sequence[float]) -> dict[str, list[float]]:
        """The components of each set by its name."""
        found, start = {}, 0
        for each in self.sets:
            found[each.name] = [float(p) for p in params[start:][: len(each.inits)]]
            start += len(each.inits)
        return found | self.given(found)

    def given(self, values: dict[str, list[float]]) -> dict[str, list[float]]:
        """What expressions give, by Python itself, each when what it needs is known."""
        known = {name: numbers[0] for name, numbers in values.items()}
        functions = {name: getattr(math, name) for name in ("sqrt", "exp", "log")}
        left = dict(self.formulas)
        while left:
            for name, text in list(left.items()):
                with contextlib.suppress(NameError):
                    known[name] = eval(text, {**functions, **known})
                    del left[name]
        return {name: [float(known[name])] for name in self.formulas}

    # -- rates --------------------------------------------------------------------

    def expected_rates(self, params: Sequence[float]) -> np.ndarray:
        """Events expected of each sample in each bin, shape [sample, bin].

        nu_sb = (product of factors) * (nominal + sum of histosys changes); a sample
        that a channel lacks contributes nothing there.
        """
        values = self.unpack(params)
        columns = []
        for channel in self.channels:
            for b in range(n_bins(self.spec, channel)):
                columns.append(
                    [self.rate(channel, sample, b, values) for sample in self.samples]
                )
        return np.array(columns, dtype=float).T

    def rate(self, channel: str, sample: str, b: int, values: dict) -> float:
        """Events expected of one sample in bin b of a channel."""
        found = find_sample(self.spec, channel, sample)
        if found is None:
            return 0.0
        nominal = found["data"][b]
        total = nominal
        for modifier in modifiers_of(found, "histosys"):
            lo, hi = (modifier["data"][key][b] for key in ("lo_data", "hi_data"))
            alpha = values[modifier["name"]][0]
            total += self.additive(alpha, lo, nominal, hi)
        for modifier in found["modifiers"]:
            total *= self.factor(modifier, channel, b, values)
        return total

    def factor(self, modifier: Document, channel: str, b: int, values: dict) -> float:
        """What one modifier multiplies bin b of a channel by."""
        components = values[modifier["name"]]
        kind, data = modifier["type"], modifier["data"]
        if kind == "histosys":
            return 1.0
        if kind in {"lumi", "normfactor"}:
            return components[0]
        if kind == "normsys":
            return self.multiplicative(components[0], data["lo"], data["hi"])
        if kind in {"shapefactor", "shapesys"}:
            return components[b]
        (found,) = (each for each in self.sets if each.name == modifier["name"])
        assert found.bins is not None  # a staterror
        return components[found.bins.index(self.first_bin(channel) + b)]

    def first_bin(self, channel: str) -> int:
        """Index of the first bin of a channel among all bins."""
        before = self.channels[: self.channels.index(channel)]
        return sum(n_bins(self.spec, name) for name in before)

    def expected_aux(self, params: Sequence[float]) -> list[float]:
        """Expected auxiliary data: theta (normal), beta tau (Poisson) or beta."""
        values, expected = self.unpack(params), []
        for each in self.sets:
            theta = values[each.name]
            beta = [each.offset + each.slope * value for value in theta]
            if each.constraint == "normal":
                expected += theta
            elif each.constraint in {"poisson", "gamma"}:
                pairs = zip(beta, each.factors, strict=True)
                expected += [b * tau for b, tau in pairs]
            elif each.constraint == "lognormal":
                expected += beta
        return expected

    # -- likelihood ---------------------------------------------------------------

    @property
    def observations(self) -> list[float]:
        """Observed events of all bins, channels sorted."""
        by_name = {o["name"]: o["data"] for o in self.spec["observations"]}
        return [float(n) for channel in self.channels for n in by_name[channel]]

    def logpdf(
        self,
        params: Sequence[float],
        main: Sequence[float] | None = None,
        aux: Sequence[float] | None = None,
    ) -> float:
        """log L = sum of main Poisson terms + Normal and Poisson constraints."""
        main = self.observations if main is None else main
        aux = self.auxdata if aux is None else aux
        rates = self.expected_rates(params).sum(axis=0)
        total = [log_poisson(n, nu) for n, nu in zip(main, rates, strict=True)]
        return math.fsum(total) + self.log_constraint(params, aux)

    def log_constraint(self, params: Sequence[float], aux: Sequence[float]) -> float:
        """Log-density of the auxiliary data."""
        values, terms, start = self.unpack(params), [], 0
        for each in self.sets:
            for i in range(len(each.auxdata)):
                a, theta = aux[start + i], values[each.name][i]
                beta = each.offset + each.slope * theta
                if each.constraint == "normal":
                    terms.append(log_normal(a, theta, each.sigmas[i]))
                elif each.constraint == "lognormal":
                    terms.append(log_log_normal(a, beta, 1 + each.sigmas[i]))
                else:
                    terms.append(log_poisson(a, beta * each.factors[i]))
            start += len(each.auxdata)
        return math.fsum(terms)


def find_measurement(workspace: Document, name: str | None) -> Document:
    """The measurement of this name, or the first."""
    for measurement in workspace["measurements"]:
        if name is None or measurement["name"] == name:
            return measurement
    message = f"no measurement {name}"
    raise ValueError(message)


def log_poisson(n: float, rate: float) -> float:
    """N log(rate) - rate - lgamma(n + 1), with 0 log 0 = 0; n may be any number >= 0.

    A rate of zero with events, or below zero, has no density: -inf.
    """
    if rate < 0 or (rate == 0 and n > 0):
        return -math.inf
    return (n * math.log(rate) if n > 0 else 0.0) - rate - math.lgamma(n + 1)


def log_normal(a: float, theta: float, sigma: float) -> float:
    """-ln(sigma sqrt(2 pi)) - (a - theta)^2 / (2 sigma^2)."""
    return -math.log(sigma * math.sqrt(2 * math.pi)) - ((a - theta) / sigma) ** 2 / 2


def log_log_normal(a: float, beta: float, kappa: float) -> float:
    """Log-normal density of a, whose logarithm is spread by ln kappa around ln beta."""
    if beta <= 0:
        return -math.inf
    return log_normal(math.log(a), math.log(beta), math.log(kappa)) - math.log(a)

"""What toys return: the statistics of all of them, and the p-values that they make."""

import json
from collections import Counter
from statistics import NormalDist
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.errors import FitError
from hfjax.fitting.result import Codes, status_of
from hfjax.fitting.status import FitStatus
from hfjax.html_table import html_table
from hfjax.inference.toy_counts import Estimate, Tails, expected_tails, tails
from hfjax.record import Record, is_single, json_numbers, refuse_batch

SAMPLES = ("signal", "background")
"""Samples of toys, in the order of the first axis of their arrays."""


class ToysResult(Record):
    """Toys of two samples with their test statistics, and what these say of the data.

    "signal" is what is tested: the signal at the tested value; "background" what it is
    compared with: no signal. For q0, which tests that there is none, the first has no
    signal and the second one of strength 1. A toy whose fits did not converge has no
    statistic, is counted in `failures`, and has no part in any p-value.

    Attributes:
        numbers: of the toys, in rising order; each is drawn with a key of its own.
        q: test statistic of each toy, NaN where a fit failed; signal first.
        codes: value of the worst `FitStatus` of each toy's fits, after all retries.
        retried: toys whose fits were done again, with more steps and from elsewhere.
        q_obs: test statistic of the observed data.
        mu_hat: best fit of the parameter of interest to the observed data.
        poi_value: tested value of the parameter of interest.
        code: value of the worst `FitStatus` of the fits to the observed data.
        question: what was computed, as JSON text: results of other data, settings or
            keys have another one, and cannot be merged.
    """

    numbers: Int[Array, " toy"]
    q: Float[Array, "hypothesis toy"]
    codes: Int[Array, "hypothesis toy"]
    retried: Bool[Array, "hypothesis toy"]
    q_obs: Scalar
    mu_hat: Scalar
    poi_value: Scalar
    code: ScalarInt
    question: str = eqx.field(static=True, default="{}")

    @property
    def settings(self) -> dict[str, Any]:
        """What was computed and how: digest of model and data, key, test statistic."""
        return json.loads(self.question)

    @property
    def discovery(self) -> bool:
        """Whether the test statistic is q0, so that zero was tested."""
        return self.settings.get("test_stat") == "q0"

    @property
    def q_signal(self) -> Float[np.ndarray, " toy"]:
        """Statistics of the toys with the tested signal that have one."""
        return _finite(np.asarray(self.q)[0])

    @property
    def q_background(self) -> Float[np.ndarray, " toy"]:
        """Statistics of the toys of the background that have one."""
        return _finite(np.asarray(self.q)[1])

    @property
    def observed(self) -> Tails:
        """CLsb, CLb and CLs of the observed data, each with its error."""
        return tails(self.q_signal, self.q_background, np.asarray(self.q_obs))

    @property
    def expected(self) -> Tails:
        """The same at -2, -1, 0, +1, +2 standard deviations of the background."""
        return expected_tails(self.q_signal, self.q_background)

    @property
    def CLs_obs(self) -> float:
        """Observed CLs; for q0 the p-value of the background, p0."""
        return float(self._wanted(self.observed).value)

    @property
    def CLs_exp(self) -> np.ndarray:
        """Expected CLs; for q0 expected p0 with the signal."""
        return self._wanted(self.expected).value

    @property
    def CLs_error(self) -> float:
        """Statistical error of `CLs_obs`."""
        return float(self._wanted(self.observed).error)

    @property
    def CLs_exp_error(self) -> np.ndarray:
        """Statistical errors of `CLs_exp`."""
        return self._wanted(self.expected).error

    @property
    def Z(self) -> float:
        """Significance of p0 in standard deviations; infinite where no toy is above."""
        p0 = self.CLs_obs if self.discovery else np.nan
        if 0.0 < p0 < 1.0:
            return -NormalDist().inv_cdf(p0)
        return {0.0: np.inf, 1.0: -np.inf}.get(p0, np.nan)

    @property
    def failures(self) -> dict[str, dict[str, int]]:
        """Toys without a statistic, by sample and by the `FitStatus` of their fits."""
        return {
            name: dict(Counter(str(FitStatus(int(c))) for c in codes if c))
            for name, codes in zip(SAMPLES, np.asarray(self.codes), strict=True)
        }

    @property
    def status(self) -> FitStatus | Codes:
        """The worst `FitStatus` of the fits to the observed data."""
        return status_of(self)

    @property
    def converged(self) -> bool:
        """Whether the fits to the observed data and to all toys converged."""
        return int(self.code) == FitStatus.CONVERGED and not np.any(self.codes)

    @property
    def message(self) -> str:
        """What is to be known of these numbers; empty if all is well."""
        parts = []
        if int(self.code) != FitStatus.CONVERGED:
            why = FitStatus(int(self.code)).sentence
            parts.append(f"no test of the observed data: {why}")
        for name, reasons in self.failures.items():
            if lost := sum(reasons.values()):
                told = ", ".join(f"{n} {why}" for why, n in sorted(reasons.items()))
                total = np.size(self.numbers)
                parts.append(
                    f"{lost} of {total} {name} toys have no statistic ({told}): "
                    f"p-values are over the other {total - lost}; where more than "
                    "a few are lost, `hfjax check` says what is hard to fit"
                )
        observed = self.observed
        if self.q_background.size and float(observed.CLb.value) == 0.0:
            parts.append("no background toy is as far as the data: no CLs, draw more")
        elif self.q_signal.size and float(observed.CLsb.value) == 0.0:
            parts.append(
                "no signal toy is as far as the data: more would tell CLs from zero"
            )
        return "; ".join(parts)

    def raise_if_failed(self) -> "ToysResult":
        """Return the result itself, or raise if fits did not converge.

        Raises:
            FitError: of which data, how many, and why.
        """
        if not self.converged:
            raise FitError(self.message)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The p-values with their errors as JSON values, None where there is none.

        The statistics of all toys are for `hfjax.save_toys`.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        observed, expected = self.observed, self.expected
        sizes = self.q_signal.size, self.q_background.size
        retried = [int(number) for number in np.sum(self.retried, axis=1)]
        document: dict[str, Any] = {"calculator": "toys"}
        for name in ("CLsb", "CLb"):
            document |= _numbers(name, getattr(observed, name))
            document |= _numbers(f"{name}_exp", getattr(expected, name))
        document |= _numbers("CLs_obs", self._wanted(observed))
        document |= _numbers("CLs_exp", self._wanted(expected))
        if self.discovery:
            document |= _numbers("p0", observed.CLsb)
            document |= _numbers("p0_exp", expected.CLsb)
            document["Z"] = json_numbers(self.Z)
        return {
            **document,
            "q": json_numbers(self.q_obs),
            "mu_hat": json_numbers(self.mu_hat),
            "poi_value": json_numbers(self.poi_value),
            "toys": {"signal": sizes[0], "background": sizes[1]},
            "drawn": int(np.size(self.numbers)),
            "retried": {"signal": retried[0], "background": retried[1]},
            "failures": self.failures,
            "status": str(FitStatus(int(self.code))),
            "message": self.message,
            "question": self.settings,
        }

    def __repr__(self) -> str:
        """The numbers; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        rows = [f"  {name:8} {value}" for name, value in self._rows()]
        return "\n".join([self._head(), *rows])

    def _repr_html_(self) -> str:
        """The same as a table of a notebook."""
        return html_table(self._head(), ("", ""), self._rows())

    def _head(self) -> str:
        status = FitStatus(int(self.code))
        sizes = f"{self.q_signal.size} + {self.q_background.size} toys"
        tested = f"tested value {float(self.poi_value):g}"
        return f"ToysResult: {status}, {sizes}, {tested}"

    def _rows(self) -> list[tuple[str, str]]:
        observed, expected = self.observed, self.expected
        name = "p0" if self.discovery else "CLs"
        rows = [
            (f"{name}_obs", _shown(self._wanted(observed))),
            (f"{name}_exp", _shown(self._wanted(expected))),
            ("CLsb", _shown(observed.CLsb)),
            ("CLb", _shown(observed.CLb)),
            ("q", f"{float(self.q_obs):.6g}"),
        ]
        return [*rows, *([("note", self.message)] if self.message else [])]

    def _wanted(self, found: Tails) -> Estimate:
        return found.CLsb if self.discovery else found.CLs


def _finite(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _numbers(name: str, found: Estimate) -> dict[str, Any]:
    return {name: json_numbers(found.value), f"{name}_error": json_numbers(found.error)}


def _shown(found: Estimate) -> str:
    """Values with their errors, such as 0.052 +- 0.003."""
    pairs = zip(np.ravel(found.value), np.ravel(found.error), strict=True)
    return "  ".join(f"{value:.4g} ± {error:.1g}" for value, error in pairs)

"""How a fit ended, and how it is steered."""

import dataclasses

from hfjax.compiled.program import Run, run_directly
from hfjax.errors import ParameterError, check_kind, unknown_name
from hfjax.record import Status

VALLEYS = ("lowest", "initial", "any")
"""Which minimum may be wanted; see `FitSettings`."""
OBSERVED_PROFILE, NOMINAL = "observed-profile", "nominal"
EXPECTED = (OBSERVED_PROFILE, NOMINAL)
"""Of which Asimov data expected results may be; see `FitSettings`."""
MINIMIZER_NAMES = (
    "newton",
    "jaxopt-lbfgsb",
    "optax-lbfgs",
)
"""Newton's method, and the minimizers of `hfjax.fitting.others.minimizers`."""


def said_of_band(band: str) -> str:
    """What headings add of the Asimov data: nothing of those of other tools.

    Example:
        >>> said_of_band("nominal"), said_of_band("observed-profile")
        (', expected before any fit', '')
    """
    return ", expected before any fit" if band == NOMINAL else ""


class FitStatus(Status):
    """How a fit ended; larger is worse."""

    CONVERGED = 0
    STALLED = 1
    MAX_STEPS = 2
    INCONSISTENT = 3
    NOT_FINITE = 4
    OUT_OF_BOUNDS = 5

    @property
    def sentence(self) -> str:
        """What happened, and what to try.

        Example:
            >>> FitStatus.CONVERGED.sentence
            'the fit converged'
        """
        return _SENTENCES[self]


_SENTENCES = {
    FitStatus.CONVERGED: "the fit converged",
    FitStatus.STALLED: (
        "no step lowers the likelihood although its gradient is not zero: the minimum "
        "lies in a valley narrower than floating point resolves; look for extreme "
        "normsys factors, or build with ModelSettings(positive=True)"
    ),
    FitStatus.MAX_STEPS: (
        "the fit used all its steps without converging: allow more steps with "
        "FitSettings(max_steps=...), or build with ModelSettings(positive=True) if "
        "normsys products turn negative"
    ),
    FitStatus.INCONSISTENT: (
        "the fit ended above what the end of another fit of the test proves possible: "
        "start elsewhere with Model.with_start"
    ),
    FitStatus.NOT_FINITE: (
        "the likelihood is zero where the fit starts, and no step leads out: a bin "
        "with events has no expected rate, and `hfjax.explain` names it; check its "
        "templates, or start elsewhere with Model.with_start"
    ),
    FitStatus.OUT_OF_BOUNDS: (
        "a value that a parameter was to be held at, or to start from, is outside its "
        "bounds: take values inside, or widen the bounds in the measurement"
    ),
}


@dataclasses.dataclass(frozen=True)
class FitSettings:
    """How fits are done. Hashable: each combination compiles once.

    Attributes:
        minimizer: newton, or a name of `hfjax.fitting.others.minimizers`.
        max_steps: steps after which a fit gives up.
        tolerance: estimated distance to the minimum, in units of -2 ln L, at which a
            fit has converged.
        valleys: which minimum is wanted where the likelihood has several valleys:
            "lowest", of those that are physical; "any", physical or not; "initial",
            that which the initial values lead to, as in other tools.
        expected: of which Asimov data the expected results of tests, limits and
            significances are: "observed-profile", those expected at the best fit to the
            observed data with the parameter of interest held, as in other tools; or
            "nominal", those before any fit, with all nuisance parameters where their
            nominal auxiliary data are most probable, or else at their initial values:
            a band that no data are in. They set the width of the distributions that an
            observed CLs is of as well, which so differs a little.
        run: calls a compiled program; whoever keeps programs puts a store here.

    Raises:
        ArgumentError: the minimizer is no name, but an object of another package.
        UnknownNameError: there is no such minimizer, or no such choice of valleys.
        ParameterError: there are no steps, or the tolerance is not positive.

    Example:
        >>> FitSettings(max_steps=0)
        Traceback (most recent call last):
        hfjax.errors.ParameterError: max_steps is 0: a fit needs 1 step at least
    """

    minimizer: str = "newton"
    max_steps: int = 300
    tolerance: float = 1e-10
    valleys: str = "lowest"
    expected: str = OBSERVED_PROFILE
    run: Run = dataclasses.field(default=run_directly, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no fit can be done with."""
        how = f"one of {', '.join(MINIMIZER_NAMES)}, by its name"
        check_kind("the minimizer", self.minimizer, str, how, "name")
        if self.minimizer not in MINIMIZER_NAMES:
            error = unknown_name("minimizer", self.minimizer, MINIMIZER_NAMES)
            raise error
        if self.valleys not in VALLEYS:
            error = unknown_name("choice of valleys", self.valleys, VALLEYS)
            raise error
        if self.expected not in EXPECTED:
            error = unknown_name("choice of Asimov data", self.expected, EXPECTED)
            raise error
        if not self.max_steps >= 1:
            message = f"max_steps is {self.max_steps}: a fit needs 1 step at least"
            raise ParameterError(message)
        if not self.tolerance > 0.0:
            message = f"tolerance is {self.tolerance:g}: it must be above zero"
            raise ParameterError(message)

"""How a fit ended, and how it is steered."""

import dataclasses
import enum

from hfjax.fit.program import Run, run_directly


class FitStatus(enum.IntEnum):
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
        "normsys factors, or build the model with positive=True"
    ),
    FitStatus.MAX_STEPS: (
        "the fit used all its steps without converging: allow more steps, or build the "
        "model with positive=True if normsys products turn negative"
    ),
    FitStatus.INCONSISTENT: (
        "the free fit ended above a fit with the parameter of interest fixed: another "
        "minimizer or another start is needed"
    ),
    FitStatus.NOT_FINITE: (
        "the likelihood is not finite where the fit starts: a bin with events has no "
        "expected rate; give another start, or check the templates of that bin"
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
        minimizer: newton, or a name of `hfjax.fit.minimizers`.
        max_steps: steps after which a fit gives up.
        tolerance: estimated distance to the minimum, in units of 2NLL, at which a fit
            has converged.
        valleys: which minimum is wanted where the likelihood has several valleys:
            "lowest", of those that are physical; "any", physical or not; "initial",
            that which the initial values lead to, as in other tools.
        run: calls a compiled program; whoever keeps programs puts a store here.
    """

    minimizer: str = "newton"
    max_steps: int = 300
    tolerance: float = 1e-10
    valleys: str = "lowest"
    run: Run = dataclasses.field(default=run_directly, compare=False, repr=False)

"""Choices that a workspace leaves open: interpolation codes."""

import dataclasses

import jax

from hfjax.errors import ModelError, PrecisionError
from hfjax.model.interpolation import ADDITIVE_BASES, MULTIPLICATIVE_EDGES


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """Choices that a workspace leaves open.

    Attributes:
        normsys: interpolation code of normsys: code1 or code4.
        histosys: interpolation code of histosys: code0, code2 or code4p.
        positive: ROOT's rule for normsys products at or below zero, see `NormSys`.

    Example:
        >>> ModelSettings(normsys="code1").histosys
        'code4p'
    """

    normsys: str = "code4"
    histosys: str = "code4p"
    positive: bool = False

    def __post_init__(self) -> None:
        """Refuse codes that do not exist."""
        for kind, known in (
            ("normsys", MULTIPLICATIVE_EDGES),
            ("histosys", ADDITIVE_BASES),
        ):
            if (code := getattr(self, kind)) not in known:
                message = f"{kind} has no interpolation {code!r}: choose of {[*known]}"
                raise ModelError(message)


def check_precision() -> None:
    """Refuse to build a model while JAX runs in float32, where fits are unreliable.

    Raises:
        PrecisionError: with the line that switches float64 on.
    """
    if not jax.config.read("jax_enable_x64"):
        message = (
            "a model needs JAX's 64-bit mode: put "
            "`jax.config.update('jax_enable_x64', True)` at the start of your program"
        )
        raise PrecisionError(message)

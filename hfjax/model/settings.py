"""Choices that a workspace leaves open: interpolation codes and precision."""

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
        dtype: float64, or float32 for those who know that its fits are coarse.

    Example:
        >>> ModelSettings(normsys="code1").histosys
        'code4p'
    """

    normsys: str = "code4"
    histosys: str = "code4p"
    positive: bool = False
    dtype: str = "float64"

    def __post_init__(self) -> None:
        """Refuse codes that do not exist."""
        for kind, known in (
            ("normsys", MULTIPLICATIVE_EDGES),
            ("histosys", ADDITIVE_BASES),
        ):
            if (code := getattr(self, kind)) not in known:
                message = f"{kind} has no interpolation {code!r}: choose of {[*known]}"
                raise ModelError(message)
        if self.dtype not in ("float64", "float32"):
            message = f"no model in {self.dtype!r}: choose 'float64' or 'float32'"
            raise ModelError(message)


def check_precision(settings: ModelSettings) -> None:
    """Refuse to build a float64 model while JAX runs in float32.

    Raises:
        PrecisionError: with the line that switches float64 on.
    """
    if settings.dtype == "float64" and not jax.config.read("jax_enable_x64"):
        message = (
            "a float64 model needs JAX's 64-bit mode: put "
            "`jax.config.update('jax_enable_x64', True)` at the start of your program, "
            "or ask for ModelSettings(dtype='float32')"
        )
        raise PrecisionError(message)

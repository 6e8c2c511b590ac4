"""Array types, and the closed list of dimension names that annotations use.

``par`` parameters, ``factor`` those and what expressions make of them, ``derived`` what
they make, of parameters that are ``used``, ``aux`` auxiliary data, ``bin`` bins of all
channels joined, ``channel`` channels, ``sample`` samples, ``modifier`` modifiers of one
kind, ``variation`` normsys on cells in one list, ``slot`` modifiers that act on one
cell, ``set`` constraint terms of one kind, ``band`` the five positions -2..+2 sigma,
``point`` signal hypotheses or points of a grid, ``held`` parameters held there.
"""

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

Array = jax.Array | np.ndarray

Number = int | float | np.number | Array
"""What may be given as one number: of Python, of NumPy, or an array without axes."""

Scalar = Float[Array, ""]
ScalarInt = Int[Array, ""]
ScalarBool = Bool[Array, ""]
Params = Float[Array, " par"]
Factors = Float[Array, " factor"]
ParamsMask = Bool[Array, " par"]
Rates = Float[Array, " bin"]
SampleRates = Float[Array, "sample bin"]
Band = Float[Array, " band"]

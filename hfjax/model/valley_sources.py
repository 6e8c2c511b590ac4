"""What may give a likelihood several valleys, as known when a model is built."""

import equinox as eqx
from jaxtyping import Float, Int

from hfjax.arrays import Array


class Crossings(eqx.Module):
    """Values of nuisance parameters at which a normsys polynomial crosses zero.

    Between two crossings a sample's rate turns negative; each crossing may hold a local
    minimum of its own, which fits look into. Most models have none.

    Attributes:
        index: position of the nuisance parameter; the number of parameters if padded.
        value: its value at the crossing.
    """

    index: Int[Array, " crossing"]
    value: Float[Array, " crossing"]


class Lopsided(eqx.Module):
    """Nuisance parameters that may give the likelihood several valleys.

    Attributes:
        index: position of each; the number of parameters if padded.
        rise: how far a unit of it moves the rates, in standard deviations.
        plane: two directions of unit length, in standard deviations of the counts, in
            which it moves the rates.
        curve: change of the rates in that plane at each place of `curves.PLACES`.
        stiff: what is left of squares of changes once all other parameters follow.
    """

    index: Int[Array, " lopsided"]
    rise: Float[Array, " lopsided"]
    plane: Float[Array, "lopsided 2 bin"]
    curve: Float[Array, "lopsided place 2"]
    stiff: Float[Array, "lopsided 2 2"]


class Surges(eqx.Module):
    """Samples that several systematics together raise many times over, in a channel.

    Attributes:
        index: positions of the nuisance parameters of the steepest normsys factors, of
            one sample after the other; the number of parameters if padded.
        member: which surge each factor is of; their number if padded.
        coefficients: of each factor's polynomial, as in `NormSys`.
        log_hi: logarithm of each factor at +1.
        log_lo: logarithm of each factor at -1.
        edge: ``|alpha|`` from which on the factors are exponential.
        along: change of the rates, of unit length, in standard deviations of the
            counts.
        size: how large the sample is by its nominal rate, in the same; zero if padded.
        stiff: what is left of a square once all other parameters follow.
    """

    index: Int[Array, " factor"]
    member: Int[Array, " factor"]
    coefficients: Float[Array, "6 factor"]
    log_hi: Float[Array, " factor"]
    log_lo: Float[Array, " factor"]
    edge: Float[Array, " factor"]
    along: Float[Array, "surge bin"]
    size: Float[Array, " surge"]
    stiff: Float[Array, " surge"]

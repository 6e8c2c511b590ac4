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
        direction: of the parameters, of unit length; zero if padded.
        places: distances along it at which the sample fills parts of its channel.
        along: change of the rates, of unit length, in standard deviations of the
            counts.
        curve: how large it is at each of the places.
        stiff: what is left of its square once all other parameters follow.
    """

    direction: Float[Array, "surge par"]
    places: Float[Array, "surge place"]
    along: Float[Array, "surge bin"]
    curve: Float[Array, "surge place"]
    stiff: Float[Array, " surge"]

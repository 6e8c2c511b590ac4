"""Expected events in plain Python, for a look at single samples without JAX.

The formulas are those of `hfjax.model` with their default interpolation codes; a test
holds the two to the same numbers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hfjax.documents.parameters.parameter_group import Numbers, ParameterGroup
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample

Coefficients = tuple[Number, ...]

# Rows a1..a6 in sixteenths; columns (u - 1, d - 1, u ln u, d ln d, u ln^2 u, d ln^2 d).
_CODE4 = (
    (15, -15, -7, 7, 1, -1),
    (24, 24, -9, -9, 1, 1),
    (-10, 10, 10, -10, -2, 2),
    (-24, -24, 14, 14, -2, -2),
    (3, -3, -3, 3, 1, -1),
    (8, 8, -5, -5, 1, 1),
)


@dataclass(frozen=True, slots=True)
class StartingSample:
    """A sample of a channel, with its modifiers where a fit starts.

    Attributes:
        nominal: Events in each bin before any modifier.
        modifiers: The modifiers by the name of their parameters.
        factors: Factors in each bin that are not one, by name.
        shifts: Additions to each bin that are not zero, by name.
    """

    nominal: tuple[float, ...]
    modifiers: dict[str, list[Modifier]]
    factors: dict[str, list[float]]
    shifts: dict[str, list[float]]

    def rates(self, name: str | None = None, values: Numbers = ()) -> list[float]:
        """Return the expected events in each bin.

        Args:
            name: parameters to set; all start where a fit starts if not given.
            values: what to set them to: one value, or one for each bin.
        """
        shifts = [shift for key, shift in self.shifts.items() if key != name]
        factors = [factor for key, factor in self.factors.items() if key != name]
        moved = () if name is None else self.modifiers.get(name, ())
        for modifier in moved:
            if modifier.type == "histosys":
                shifts.append(_shifts(modifier, self.nominal, values[0]))
            else:
                factors.append(_factors(modifier, len(self.nominal), values))
        bases = [sum(terms) for terms in zip(self.nominal, *shifts, strict=True)]
        return [math.prod(terms) for terms in zip(bases, *factors, strict=True)]


def starting_sample(
    channel: Channel, sample: Sample, groups: Mapping[str, ParameterGroup]
) -> StartingSample:
    """Evaluate the modifiers of a sample where a fit starts.

    Args:
        channel: the channel.
        sample: one of its samples.
        groups: parameters by name; modifiers without any change nothing.
    """
    nominal = tuple(map(float, sample.data))
    modifiers: dict[str, list[Modifier]] = {}
    factors: dict[str, list[float]] = {}
    shifts: dict[str, list[float]] = {}
    for modifier in sample.modifiers:
        name = modifier.name
        modifiers.setdefault(name, []).append(modifier)
        if name not in groups:
            continue
        values = channel_values(groups[name], channel.name, len(nominal))
        if modifier.type != "histosys":
            found = _factors(modifier, len(nominal), values)
            if any(value != 1 for value in found):
                known = factors.get(name, [1.0] * len(nominal))
                factors[name] = [a * b for a, b in zip(known, found, strict=True)]
        elif values[0] != 0:
            shifts[name] = _shifts(modifier, nominal, values[0])
    return StartingSample(nominal, modifiers, factors, shifts)


def channel_values(group: ParameterGroup, channel: str, bins: int) -> Numbers:
    """Return the initial values that a channel uses: one, or one for each bin."""
    if group.scalar:
        return group.inits
    offset = group.offsets[channel]
    return group.inits[offset : offset + bins]


def _factors(modifier: Modifier, bins: int, values: Numbers) -> list[float]:
    if modifier.type == "normsys":
        found = normsys_factor(modifier.data["lo"], modifier.data["hi"], values[0])
        return [found] * bins
    found = [float(value) for value in values]
    return found * bins if len(found) == 1 else found


def _shifts(
    modifier: Modifier, nominal: tuple[float, ...], alpha: Number
) -> list[float]:
    triples = zip(
        modifier.data["lo_data"], nominal, modifier.data["hi_data"], strict=True
    )
    return [histosys_shift(*triple, alpha) for triple in triples]


def histosys_shift(lo: Number, nominal: Number, hi: Number, alpha: Number) -> float:
    """Change of a bin by a histosys, in events: code 4p.

    ``delta = (hi - lo) alpha / 2 + ((hi + lo) / 2 - nominal) h(alpha)`` with
    ``h = alpha^2 (15 - 10 alpha^2 + 3 alpha^4) / 8`` inside [-1, 1], else ``|alpha|``.

    >>> histosys_shift(8, 10, 13, 0.5), histosys_shift(8, 10, 13, -2)
    (1.4482421875, -4.0)
    """
    square = alpha * alpha
    inside = square * (15.0 - 10.0 * square + 3.0 * square * square) / 8.0
    basis = inside if square < 1.0 else abs(alpha)
    return 0.5 * (float(hi) - lo) * alpha + (0.5 * (float(hi) + lo) - nominal) * basis


def normsys_factor(lo: Number, hi: Number, alpha: Number) -> float:
    """Factor of a normsys: code 4; NaN where a variation is negative.

    >>> normsys_factor(0.8, 1.3, 2), round(normsys_factor(0.8, 1.3, 0.5), 12)
    (1.6900000000000002, 1.138282599365)
    """
    if lo < 0 or hi < 0:
        return math.nan
    if abs(alpha) < 1:
        return code4_polynomial(code4_coefficients(lo, hi), alpha)
    try:
        return float(hi if alpha > 0 else lo) ** abs(alpha)
    except OverflowError:
        return math.inf


def code4_coefficients(lo: Number, hi: Number) -> Coefficients:
    """Coefficients ``a1..a6`` of the polynomial of code 4 inside [-1, 1].

    It meets ``hi^alpha`` and ``lo^-alpha`` with value and two derivatives. A variation
    at zero has its logarithms set to zero, as in ROOT.

    >>> round(sum(code4_coefficients(0.5, 3.0)), 12)
    2.0
    """
    up, down = float(hi), float(lo)
    log_up, log_down = (math.log(x) if x > 0 else 0.0 for x in (up, down))
    terms = (
        *(up - 1, down - 1, up * log_up, down * log_down),
        *(up * log_up * log_up, down * log_down * log_down),
    )
    return tuple(
        sum(a * b for a, b in zip(row, terms, strict=True)) / 16 for row in _CODE4
    )


def code4_polynomial(coefficients: Coefficients, alpha: Number) -> float:
    """``1 + sum_i a_i alpha^i`` by Horner's rule.

    >>> code4_polynomial((1.0, 0, 0, 0, 0, 2.0), 0.5)
    1.53125
    """
    value = 0.0
    for coefficient in reversed(coefficients):
        value = (value + coefficient) * alpha
    return 1.0 + value


def code4_lowest(lo: Number, hi: Number) -> tuple[float, float]:
    """Where the polynomial of code 4 is lowest inside [-1, 1], and how low.

    The answer is good to the steps of a grid, 0.02.

    >>> place, value = code4_lowest(0.01, 105.0)
    >>> place, round(value, 2)
    (-0.36, -4.25)
    """
    coefficients = code4_coefficients(lo, hi)
    grid = [step / 50 - 1 for step in range(101)]
    return min(((a, code4_polynomial(coefficients, a)) for a in grid), key=_second)


def _second(pair: tuple[float, float]) -> float:
    return pair[1]

"""Small models with lopsided systematics, and their lowest minima by brute force.

Everything is written out: rates by loops over samples, the likelihood from them, a grid
over the whole box, and from its best separate points a coordinate search. Nothing of
the library is used, and no derivative: what finds valleys here shares no idea with it.
"""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

Document = dict[str, Any]

BINS = 3
NUISANCES = ("a0", "a1")
BOX = {"mu": (0.0, 10.0), "a0": (-5.0, 5.0), "a1": (-5.0, 5.0)}
SIDES = {
    "mild": {"two": 0.7, "one": 0.1, "same": 0.1, "mixed": 0.1},
    "hard": {"two": 0.1, "one": 0.3, "same": 0.3, "mixed": 0.3},
}
"""How often the variations of a histosys are where."""
STEPS = 33
SEPARATE = 0.7
SEARCHES = 6


# -- models by chance --------------------------------------------------------------


def variations(random: np.random.Generator, nominal: np.ndarray, side: str) -> dict:
    """Low and high rates: on two sides, one, the same, or bin by bin."""
    size = random.uniform(0.03, 0.35)

    def away() -> np.ndarray:
        return size * random.uniform(0.4, 1.6, BINS)

    signs = random.choice([-1.0, 1.0], (2, BINS))
    hi = nominal * (1.0 + away() * (signs[0] if side == "mixed" else 1.0))
    lo = {
        "two": nominal * (1.0 - away()),
        "one": nominal,
        "same": nominal * (1.0 + away()),
        "mixed": nominal * (1.0 + away() * signs[1]),
    }[side]
    return {"lo_data": lo.tolist(), "hi_data": hi.tolist()}


def systematic(
    random: np.random.Generator, name: str, nominal: np.ndarray, chances: dict
) -> Document:
    """A histosys of some shape, or a factor that may fall on both sides."""
    if random.random() < 0.25:
        size, sign = random.uniform(0.03, 0.3), random.choice([-1.0, 1.0])
        factors = {"lo": 1.0 - sign * size, "hi": 1.0 + size}
        return {"name": name, "type": "normsys", "data": factors}
    side = random.choice(list(chances), p=list(chances.values()))
    data = variations(random, nominal, side)
    return {"name": name, "type": "histosys", "data": data}


def random_model(seed: int, kind: str) -> Document:
    """A workspace of one channel: a signal, two backgrounds, two systematics."""
    random = np.random.default_rng([seed, list(SIDES).index(kind)])
    mu = {"name": "mu", "type": "normfactor", "data": None}
    signal = random.uniform(2.0, 30.0, BINS)
    samples = [{"name": "signal", "data": signal.tolist(), "modifiers": [mu]}]
    total = np.zeros(BINS)
    for sample in ("first", "second"):
        nominal = random.uniform(20.0, 200.0, BINS)
        total = total + nominal
        own = [systematic(random, name, nominal, SIDES[kind]) for name in NUISANCES]
        samples.append({"name": sample, "data": nominal.tolist(), "modifiers": own})
    observed = random.poisson(total * random.uniform(0.75, 1.25, BINS)).astype(float)
    return {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": observed.tolist()}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


# -- their likelihood --------------------------------------------------------------


def smooth_additive(alpha: np.ndarray, lo: float, nominal: float, hi: float):
    """Code 4p, a shift of one bin: straight outside of one, of sixth order inside."""
    up, down = hi - nominal, nominal - lo
    inside = alpha**2 * (15.0 - 10.0 * alpha**2 + 3.0 * alpha**4) / 8.0
    bent = np.where(np.abs(alpha) < 1.0, inside, np.abs(alpha))
    return 0.5 * (up + down) * alpha + 0.5 * (up - down) * bent


def smooth_factor(alpha: np.ndarray, lo: float, hi: float) -> np.ndarray:
    """Code 4: powers outside of one, a polynomial of sixth order inside.

    It has their values, slopes and curvatures at both ends.
    """
    rows, sides = [], []
    for at, base, sign in ((1.0, hi, 1.0), (-1.0, lo, -1.0)):
        log = math.log(base)
        rows.append([at**k for k in range(1, 7)])
        rows.append([k * at ** (k - 1) for k in range(1, 7)])
        rows.append([k * (k - 1) * at ** max(k - 2, 0) for k in range(1, 7)])
        sides += [base - 1.0, sign * log * base, log * log * base]
    coefficients = np.linalg.solve(np.array(rows), np.array(sides))
    inside = 1.0 + sum(c * alpha ** (k + 1) for k, c in enumerate(coefficients))
    outside = np.where(alpha > 0.0, hi ** np.abs(alpha), lo ** np.abs(alpha))
    return np.where(np.abs(alpha) < 1.0, inside, outside)


class Small(NamedTuple):
    """A model of this file with data.

    Attributes:
        samples: of the only channel.
        main: counts of the bins.
        aux: centres of the constraint terms, in the order of `NUISANCES`.
    """

    samples: list
    main: np.ndarray
    aux: np.ndarray

    def rates(self, point: dict) -> list[dict]:
        """Rates of each bin by sample; the values of a point may be arrays."""
        found = []
        for b, sample in itertools.product(range(BINS), self.samples):
            if sample is self.samples[0]:
                found.append({})
            base, factor = sample["data"][b], 1.0
            for own in sample["modifiers"]:
                value, data = np.asarray(point[own["name"]], float), own["data"]
                if own["type"] == "normfactor":
                    factor = factor * value
                elif own["type"] == "normsys":
                    factor = factor * smooth_factor(value, data["lo"], data["hi"])
                else:
                    sides = data["lo_data"][b], sample["data"][b], data["hi_data"][b]
                    base = base + smooth_additive(value, *sides)
            found[-1][sample["name"]] = factor * base
        return found

    def twice_nll(self, point: dict) -> np.ndarray:
        """``-2 ln L`` with all constants, infinite where a rate is not positive."""
        total = 0.0
        for count, samples in zip(self.main, self.rates(point), strict=True):
            rate = np.asarray(sum(samples.values()), float)
            safe = np.where(rate > 0.0, rate, 1.0)
            own = 2.0 * (safe - count * np.log(safe) + math.lgamma(count + 1.0))
            total = total + np.where(rate > 0.0, own, np.inf)
        for name, centre in zip(NUISANCES, self.aux, strict=True):
            pull = np.asarray(point[name], float) - centre
            total = total + pull**2 + math.log(2.0 * math.pi)
        return total

    def is_physical(self, point: dict) -> bool:
        """Whether no sample is below -0.1 events and a tenth of its bin."""
        for samples in self.rates(point):
            allowed = max(0.1, 0.1 * abs(float(sum(samples.values()))))
            if min(float(rate) for rate in samples.values()) < -allowed:
                return False
        return True


# -- their lowest minima -----------------------------------------------------------


def grid_points(small: Small, free: list[str], held: dict) -> list[dict]:
    """Points of a grid that are no higher than their neighbours, the best first."""
    axes = np.meshgrid(*(np.linspace(*BOX[n], STEPS) for n in free), indexing="ij")
    values = small.twice_nll({**held, **dict(zip(free, axes, strict=True))})
    padded = np.pad(values, 1, constant_values=np.inf)
    low = np.isfinite(values)
    for offsets in itertools.product(range(3), repeat=len(free)):
        window = tuple(
            slice(o, o + n) for o, n in zip(offsets, values.shape, strict=True)
        )
        low &= values <= padded[window]
    where = np.argwhere(low)
    order = np.argsort(values[low], kind="stable")
    return [
        dict(zip(free, (float(axis[tuple(where[k])]) for axis in axes), strict=True))
        for k in order
    ]


def polished(small: Small, start: dict, held: dict) -> dict:
    """Go down from a point along a set of directions that learns from its steps.

    Powell's method with parabolas: after each round, the way that it went is a new
    direction. The lowest of three points and of the vertex through them is next.
    """
    names = list(start)
    low, high = (np.array([BOX[n][side] for n in names]) for side in (0, 1))

    def height(x: np.ndarray) -> float:
        return float(small.twice_nll({**held, **dict(zip(names, x, strict=True))}))

    now = np.array([start[n] for n in names])
    value, width = height(now), 0.3
    ways = np.eye(now.size)
    for _ in range(400):
        before, old = now, value
        for way in ways:
            now, value = along(height, now, value, (way * width, low, high))
        moved = now - before
        if np.linalg.norm(moved) > 0.0:
            now, value = along(height, now, value, (moved, low, high))
            ways = np.concatenate([np.eye(now.size), [moved / np.linalg.norm(moved)]])
        if old - value < 1e-12:
            width *= 0.3
            if width < 1e-7:
                break
    return dict(zip(names, now.tolist(), strict=True))


def along(height, now: np.ndarray, value: float, line: tuple):
    """The lowest of some points on a line, one of them the vertex of a parabola."""
    way, low, high = line
    points = [np.clip(now + t * way, low, high) for t in (-1.0, 1.0)]
    left, right = (height(point) for point in points)
    bend = left + right - 2.0 * value
    if np.isfinite(bend) and bend > 0.0:
        vertex = 0.5 * (left - right) / bend
        points.append(np.clip(now + np.clip(vertex, -20.0, 20.0) * way, low, high))
    points += [np.clip(now + t * way, low, high) for t in (-3.0, 3.0)]
    values = [height(point) for point in points]
    best = int(np.argmin(values))
    return (points[best], values[best]) if values[best] < value else (now, value)


def lowest(small: Small, mu: float | None) -> tuple[float, dict]:
    """The lowest physical minimum, free or with mu held; infinite without one."""
    held = {} if mu is None else {"mu": mu}
    free = [name for name in BOX if name not in held]
    starts: list[dict] = []
    for point in grid_points(small, free, held):
        far = (max(abs(point[n] - s[n]) for n in free) > SEPARATE for s in starts)
        if all(far):
            starts.append(point)
        if len(starts) == SEARCHES:
            break
    ends = [{**held, **polished(small, start, held)} for start in starts]
    found = [
        (float(small.twice_nll(end)), end) for end in ends if small.is_physical(end)
    ]
    return min(found, key=lambda pair: pair[0], default=(math.inf, {}))

"""The parameter sets of a HistFactory model, collected by plain loops.

Order, names, defaults, overrides and sharing as pyhf 0.7.6 has them: `collect` is
the entry, the rest are its steps. Fixes on purpose: bins without events stay fixed
whatever the measurement says, a shared shapefactor must have one width, and a
misfit is a ValueError that says what is wrong. The kinds of constraint terms that only
extended workspaces have are given by `of_kind`.
"""

import dataclasses
import math
from collections.abc import Iterator

Document = dict  # one JSON object, as json.load gives it

TYPE_ORDER = (
    "histosys",
    "lumi",
    "normfactor",
    "normsys",
    "shapefactor",
    "shapesys",
    "staterror",
)


@dataclasses.dataclass
class ParameterSet:
    """One named group of parameters: a scalar, or one for each of its bins."""

    name: str
    constraint: str  # "none", "normal", "poisson", "gamma" or "lognormal"
    scalar: bool
    inits: list[float]
    bounds: list[list[float]]
    auxdata: list[float] = dataclasses.field(default_factory=list)
    sigmas: list[float] = dataclasses.field(default_factory=list)
    factors: list[float] = dataclasses.field(default_factory=list)
    fixed: list[bool] = dataclasses.field(default_factory=list)
    kept_fixed: list[bool] = dataclasses.field(default_factory=list)
    bins: list[int] | None = None  # global bins of a staterror, else None
    kind: str = ""  # "alpha", "lumi", "shapesys" or "staterror"
    offset: float = 0.0  # beta = offset + slope * parameter
    slope: float = 1.0

    @property
    def parameter_names(self) -> list[str]:
        """One name for a scalar; name[0], name[1], ... else, even for one bin."""
        if self.scalar:
            return [self.name]
        return [f"{self.name}[{i}]" for i in range(len(self.inits))]


def channel_names(spec: Document) -> list[str]:
    """Sorted names of the channels: the order of the bins."""
    return sorted({channel["name"] for channel in spec["channels"]})


def sample_names(spec: Document) -> list[str]:
    """Sorted names of all samples of all channels."""
    return sorted({s["name"] for c in spec["channels"] for s in c["samples"]})


def find_sample(spec: Document, channel: str, sample: str) -> Document | None:
    """The sample of a channel, or None where it is absent."""
    for c in spec["channels"]:
        if c["name"] == channel:
            return next((s for s in c["samples"] if s["name"] == sample), None)
    return None


def n_bins(spec: Document, channel: str) -> int:
    """Length of the first listed sample of the channel."""
    (found,) = (c for c in spec["channels"] if c["name"] == channel)
    return len(found["samples"][0]["data"])


def cells(spec: Document) -> Iterator[tuple[str, str, Document]]:
    """(channel, sample, document) in sorted order, absent samples left out."""
    samples = sample_names(spec)
    for channel in channel_names(spec):
        for sample in samples:
            found = find_sample(spec, channel, sample)
            if found is not None:
                yield channel, sample, found


def modifiers_of(sample: Document, kind: str) -> list[Document]:
    """The modifiers of one type of a sample, sorted by name."""
    found = [m for m in sample["modifiers"] if m["type"] == kind]
    return sorted(found, key=lambda m: m["name"])


def alpha_set(name: str) -> ParameterSet:
    """Histosys and normsys: Normal(aux; alpha, 1), aux 0, bounds (-5, 5)."""
    return ParameterSet(
        *(name, "normal", True, [0.0], [[-5.0, 5.0]], [0.0], [1.0]),
        fixed=[False],
        kind="alpha",
    )


def lumi_set(name: str, overrides: dict[str, Document]) -> ParameterSet:
    """Lumi: Normal(aux; lambda, sigma), everything from the measurement."""
    config = overrides.get(name, {})
    needed = {"inits", "bounds", "auxdata", "sigmas"}
    if config.get("constraint") == "none":
        needed = {"inits", "bounds"}
    missing = needed - set(config)
    if missing:
        message = f"lumi needs {sorted(missing)} in the measurement"
        raise ValueError(message)
    return ParameterSet(
        *(name, "normal", True, [1.0], [[0.0, 10.0]], [1.0], [1.0]),
        fixed=[False],
        kind="lumi",
    )


def free_set(name: str, width: int | None) -> ParameterSet:
    """Normfactor (width None) and shapefactor: init 1, bounds (0, 10), free."""
    n = width or 1
    return ParameterSet(
        name,
        "none",
        width is None,
        [1.0] * n,
        [[0.0, 10.0] for _ in range(n)],
        fixed=[False] * n,
    )


def shapesys_set(name: str, nominal: list, uncertainty: list) -> ParameterSet:
    """Shapesys: Poisson(aux; gamma tau) with tau = (nominal/uncertainty)^2.

    A bin without events or without uncertainty has tau = aux = 1 and stays fixed.
    """
    valid = [b > 0 and u > 0 for b, u in zip(nominal, uncertainty, strict=True)]
    tau = [
        (b / u) ** 2 if ok else 1.0
        for ok, b, u in zip(valid, nominal, uncertainty, strict=True)
    ]
    closed = [not ok for ok in valid]
    n = len(tau)
    return ParameterSet(
        name,
        "poisson",
        False,
        [1.0] * n,
        [[1e-10, 10.0] for _ in range(n)],
        list(tau),
        factors=tau,
        fixed=list(closed),
        kept_fixed=closed,
        kind="shapesys",
    )


def staterror_set(spec: Document, name: str, threshold: float = 0) -> ParameterSet:
    """Staterror: Normal(aux; gamma_b, delta_b), aux 1, one gamma a bin.

    delta_b = sqrt(sum_s unc_sb^2) / sum_s nominal_sb over the samples of the
    channel that carry the modifier; a bin where it vanishes (or where there are no
    events), or is below the threshold, is fixed, with sigma 1.
    """
    delta, bins, start = [], [], 0
    for channel in channel_names(spec):
        carriers = staterror_carriers(spec, channel, name)
        width = n_bins(spec, channel)
        for b in range(width if carriers else 0):
            total = sum(nominal[b] for nominal, _ in carriers)
            squares = sum(unc[b] ** 2 for _, unc in carriers)
            delta.append(math.sqrt(squares) / total if total > 0 else 0.0)
            bins.append(start + b)
        start += width
    closed = [d == 0 or d < threshold for d in delta]
    n = len(delta)
    return ParameterSet(
        name,
        "normal",
        False,
        [1.0] * n,
        [[1e-10, 10.0] for _ in range(n)],
        [1.0] * n,
        [1.0 if shut else d for d, shut in zip(delta, closed, strict=True)],
        fixed=list(closed),
        kept_fixed=closed,
        bins=bins,
        kind="staterror",
    )


def staterror_carriers(spec: Document, channel: str, name: str) -> list[tuple]:
    """(nominal, uncertainty) of each sample of a channel with this staterror."""
    (found,) = (c for c in spec["channels"] if c["name"] == channel)
    return [
        (sample["data"], modifier["data"])
        for sample in found["samples"]
        for modifier in modifiers_of(sample, "staterror")
        if modifier["name"] == name
    ]


def check_staterror(spec: Document, name: str) -> None:
    """Every sample that uses the name must use it in the same channels."""
    used: dict[str, set[str]] = {}
    for channel, sample, found in cells(spec):
        if any(m["name"] == name for m in modifiers_of(found, "staterror")):
            used.setdefault(sample, set()).add(channel)
    if len({frozenset(channels) for channels in used.values()}) > 1:
        message = f"staterror {name}: its samples use it in different channels"
        raise ValueError(message)


def of_kind(required: ParameterSet, config: Document) -> tuple[ParameterSet, Document]:
    """Replace the constraint terms by those of another kind, and say what remains.

    beta is 1 + rel alpha, lambda / L0 or gamma, and a bin that is fixed anyway has
    rel = 1. What is used up of the entry (sigmas, and auxdata of lumi) is left out.
    """
    kind = config["constraint"]
    rest = {k: v for k, v in config.items() if k not in {"constraint", "threshold"}}
    if kind == "none":
        none: dict = {"constraint": "none", "auxdata": [], "sigmas": [], "factors": []}
        return dataclasses.replace(required, **none), rest
    if required.constraint == "none":
        message = f"{required.name}: nothing says how wide its constraint is"
        raise ValueError(message)
    if kind == required.constraint or (kind, required.kind) == ("gamma", "shapesys"):
        return required, rest
    counts = kind in {"poisson", "gamma"}
    offset, slope = 0.0, 1.0
    if required.kind == "lumi":
        slope = 1 / rest.pop("auxdata")[0]
        rel = [rest.pop("sigmas")[0] * slope]
    elif required.kind == "alpha":
        rel = rest.pop("sigmas", [1.0])
        offset, slope = 1.0, rel[0]
    else:
        rel = required.sigmas or [1 / math.sqrt(tau) for tau in required.factors]
        rel = rel if counts else rest.pop("sigmas", rel)
    required = dataclasses.replace(
        required,
        constraint=kind,
        auxdata=[1 / r**2 if counts else 1.0 for r in rel],
        factors=[1 / r**2 for r in rel] if counts else [],
        sigmas=[] if counts else list(rel),
        slope=slope,
        offset=offset,
    )
    if kind != "normal":
        bounds = rest.pop("bounds", required.bounds)
        least = (1e-10 - offset) / slope
        required.bounds = [[max(low, least), high] for low, high in bounds]
    return required, rest


def required_set(kind: str, cell: tuple, modifier: Document, overrides: dict):
    """The set that one use of a modifier asks for (all types but staterror)."""
    spec, channel, sample = cell
    name = modifier["name"]
    if kind in {"histosys", "normsys"}:
        return alpha_set(name)
    if kind == "lumi":
        return lumi_set(name, overrides)
    if kind == "shapesys":
        return shapesys_set(name, sample["data"], modifier["data"])
    return free_set(name, n_bins(spec, channel) if kind == "shapefactor" else None)


def override(required: ParameterSet, config: Document | None) -> ParameterSet:
    """Apply the entry of the measurement, key by key; lengths must match."""
    if config is not None and "constraint" in config:
        required, config = of_kind(required, config)
    for key in ("inits", "bounds", "auxdata", "sigmas", "factors"):
        if config is None or key not in config:
            continue
        if len(config[key]) != len(getattr(required, key)):
            message = f"{required.name}: {key} has the wrong length or no use"
            raise ValueError(message)
        required = dataclasses.replace(required, **{key: config[key]})
    if config is not None and "fixed" in config:
        kept = required.kept_fixed or [False] * len(required.inits)
        required = dataclasses.replace(
            required, fixed=[config["fixed"] or k for k in kept]
        )
    return required


def collect(spec: Document, overrides: dict[str, Document]) -> list[ParameterSet]:
    """All parameter sets in the order of the parameter vector.

    Type by type in `TYPE_ORDER`; within a type by first appearance (sorted
    channels, then sorted samples, then modifiers by name), staterrors by name.
    """
    sets: dict[str, ParameterSet] = {}
    for kind in TYPE_ORDER[:-1]:
        seen = set()
        for channel, _, sample in cells(spec):
            for modifier in modifiers_of(sample, kind):
                name = modifier["name"]
                cell = (spec, channel, sample)
                wanted = required_set(kind, cell, modifier, overrides)
                if kind == "shapesys" and name in seen:
                    message = f"shapesys {name} is used twice"
                    raise ValueError(message)
                seen.add(name)
                add_set(sets, wanted, overrides.get(name))
    for name in staterror_names(spec):
        check_staterror(spec, name)
        threshold = overrides.get(name, {}).get("threshold", 0)
        add_set(sets, staterror_set(spec, name, threshold), overrides.get(name))
    return list(sets.values())


def add_set(sets: dict, required: ParameterSet, config: Document | None) -> None:
    """Keep a new set; a name already there must ask for an equal one."""
    required = override(required, config)
    found = sets.setdefault(required.name, required)
    if found != required:
        message = f"{required.name}: its uses ask for different parameters"
        raise ValueError(message)


def staterror_names(spec: Document) -> list[str]:
    """Alphabetical names of the staterrors."""
    return sorted(
        {m["name"] for _, _, s in cells(spec) for m in modifiers_of(s, "staterror")}
    )

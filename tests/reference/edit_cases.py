"""Workspaces and edits by chance, the same in every Python, without hfjax or pyhf.

`edit_with_pyhf.py` runs the edits with pyhf and keeps a digest of each result in
`edit_pyhf.json`; a test holds hfjax to them. All names come from short lists, so that
workspaces share some, edits hit some, and new names clash with old ones.
"""

import copy
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]

RESULTS = Path(__file__).parent / "edit_pyhf.json"
CASES = 200
REFUSED = "refused"

COMBINATIONS = {
    "combine none": ("none", False),
    "combine outer": ("outer", False),
    "combine left outer": ("left outer", False),
    "combine right outer": ("right outer", False),
    "merge outer": ("outer", True),
    "merge left outer": ("left outer", True),
    "merge right outer": ("right outer", True),
}
OPERATIONS = (*COMBINATIONS, "prune", "rename", "sort")

BINS = {"SR": 2, "CR": 1, "VR": 3, "SR_low": 2}
SAMPLES = ("signal", "top", "W", "fakes")
MEASUREMENTS = ("search", "other", "third")
ALPHAS = ("JES", "JER", "xsec")
TYPES = (
    *("histosys", "lumi", "normfactor", "normsys"),
    *("shapefactor", "shapesys", "staterror"),
)


@dataclass(frozen=True)
class Case:
    """An edit: its name in `OPERATIONS`, one or two workspaces, what is asked for."""

    operation: str
    documents: tuple[Document, ...]
    arguments: dict[str, Any]


class Dice(random.Random):
    """Choices made of `random()` alone, whose numbers Python promises not to change."""

    def below(self, size: int) -> int:
        """One of 0, 1, ... size - 1."""
        return int(self.random() * size)

    def one(self, items: Sequence[Any]) -> Any:
        """One item."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[Any], chance: float) -> list[Any]:
        """Each item, or not."""
        return [item for item in items if self.random() < chance]

    def mixed(self, items: Sequence[Any]) -> list[Any]:
        """All items in any order."""
        return sorted(items, key=lambda _: self.random())

    def often(self, chance: float) -> bool:
        """Yes with this probability."""
        return self.random() < chance

    def events(self, bins: int) -> list[float | int]:
        """A number for each bin, whole or not."""
        return [
            self.one((self.below(40), round(40 * self.random(), 3)))
            for _ in range(bins)
        ]


def case(operation: str, index: int) -> Case:
    """Return one of the cases of an operation, always the same."""
    dice = Dice(f"{operation} {index}")
    first = workspace(dice)
    if operation in COMBINATIONS:
        join, merge = COMBINATIONS[operation]
        second = relative(dice, first)
        arguments = {"join": join, "merge_channels": merge}
        return Case(operation, (first, second), arguments)
    arguments = {"prune": pruned_names, "rename": new_names, "sort": _nothing}
    return Case(operation, (first,), arguments[operation](dice, first))


def cases(operation: str) -> list[Case]:
    """Return all cases of an operation."""
    return [case(operation, index) for index in range(CASES)]


# -- workspaces --------------------------------------------------------------------


def workspace(dice: Dice) -> Document:
    """A workspace with some channels, measurements and types of modifiers."""
    names = dice.mixed(dice.some(tuple(BINS), 0.5) or ["SR"])
    channels = [channel(dice, name) for name in names]
    titles = dice.mixed(dice.some(MEASUREMENTS, 0.4) or ["search"])
    observations = [observation(dice, found) for found in dice.mixed(channels)]
    if dice.often(0.1):
        observations.append({"name": "absent", "data": [1]})
    return {
        "channels": channels,
        "measurements": [measurement(dice, title) for title in titles],
        "observations": observations,
        "version": "1.0.0",
    }


def channel(dice: Dice, name: str) -> Document:
    """A channel; now and then with another number of bins than its namesakes."""
    bins = BINS[name] + dice.often(0.03)
    names = dice.mixed(dice.some(SAMPLES, 0.5) or ["top"])
    return {"name": name, "samples": [sample(dice, name, s, bins) for s in names]}


def sample(dice: Dice, where: str, name: str, bins: int) -> Document:
    """A sample with modifiers of some types, with histosys and normsys of one name."""
    found = [modifier(dice, kind, where, bins) for kind in dice.some(TYPES, 0.4)]
    for alpha in dice.some(ALPHAS, 0.3):
        kind = dice.one(("histosys", "normsys"))
        found.append(modifier(dice, kind, where, bins) | {"name": alpha})
    unique = {(m["name"], m["type"]): m for m in found}
    return {
        "name": name,
        "data": dice.events(bins),
        "modifiers": dice.mixed(list(unique.values())),
    }


def modifier(dice: Dice, kind: str, where: str, bins: int) -> Document:
    """A modifier of one type."""
    names = {
        "lumi": "lumi",
        "normfactor": dice.one(("mu", "k_top")),
        "shapefactor": "free",
        "shapesys": dice.one((f"shape_{where}", "shape")),
        "staterror": dice.one((f"stat_{where}", "stat")),
    }
    data = {
        "histosys": {"lo_data": dice.events(bins), "hi_data": dice.events(bins)},
        "normsys": {"lo": round(0.5 + dice.random(), 3), "hi": dice.one((1, 1.25))},
        "shapesys": dice.events(bins),
        "staterror": dice.events(bins),
    }
    name = names.get(kind) or dice.one(ALPHAS)
    return {"name": name, "type": kind, "data": data.get(kind)}


def observation(dice: Dice, found: Document) -> Document:
    """What was observed in a channel."""
    bins = len(found["samples"][0]["data"])
    return {"name": found["name"], "data": dice.events(bins)}


def measurement(dice: Dice, name: str) -> Document:
    """A measurement whose parameter of interest may be one that only patches bring."""
    poi = dice.one(("mu", "mu", "k_top", "mu_SIG", ""))
    known = ("lumi", "mu", "k_top", "JES", "mu_SIG")
    parameters = [parameter(dice, found) for found in dice.mixed(dice.some(known, 0.4))]
    return {"name": name, "config": {"poi": poi, "parameters": parameters}}


def parameter(dice: Dice, name: str) -> Document:
    """Settings of a parameter, with few different values: some agree by chance."""
    settings = {
        "inits": [dice.one((1, 1.5))],
        "bounds": [[0, dice.one((5, 10.0))]],
        "auxdata": [1],
        "sigmas": [0.02],
        "fixed": dice.often(0.5),
    }
    return {"name": name} | {
        key: settings[key] for key in dice.some(tuple(settings), 0.4)
    }


def relative(dice: Dice, first: Document) -> Document:
    """A second workspace: made anew, or of parts of the first that may be changed."""
    if dice.often(0.2):
        return workspace(dice)
    second = copy.deepcopy(first)
    second["observations"] = [
        o for o in second["observations"] if o["name"] != "absent"
    ]
    if dice.often(0.5):
        _rename_regions(dice, second)
    _vary_channels(dice, second)
    _vary_measurements(dice, second)
    return second


def _rename_regions(dice: Dice, document: Document) -> None:
    """Give all channels names that the other workspace does not have."""
    end = dice.one(("_2", "_new"))
    for found in (*document["channels"], *document["observations"]):
        found["name"] += end
    if dice.often(0.8):
        for found in document["measurements"]:
            found["name"] += end


def _vary_channels(dice: Dice, document: Document) -> None:
    """Leave out channels, change samples, add channels, change observations."""
    channels = dice.some(document["channels"], 0.8) or document["channels"][:1]
    names = [found["name"] for found in channels]
    observed = [o for o in document["observations"] if o["name"] in names]
    for found in channels:
        if dice.often(0.25):
            _vary_samples(dice, found)
    fresh = [n for n in BINS if n not in names and dice.often(0.15)]
    channels += [channel(dice, name) for name in fresh]
    observed += [
        observation(dice, found) for found in channels if found["name"] in fresh
    ]
    for found in observed:
        if dice.often(0.1):
            found["data"] = dice.events(len(found["data"]))
    document["channels"], document["observations"] = channels, observed


def _vary_samples(dice: Dice, found: Document) -> None:
    samples, bins = found["samples"], len(found["samples"][0]["data"])
    absent = [name for name in SAMPLES if name not in [s["name"] for s in samples]]
    if absent and dice.often(0.5):
        samples.append(sample(dice, found["name"], dice.one(absent), bins))
    if len(samples) > 1 and dice.often(0.4):
        del samples[dice.below(len(samples))]
    if dice.often(0.3):
        dice.one(samples)["data"] = dice.events(bins)


def _vary_measurements(dice: Dice, document: Document) -> None:
    for found in document["measurements"]:
        config = found["config"]
        known = [entry["name"] for entry in config["parameters"]]
        config["parameters"] = dice.some(config["parameters"], 0.8)
        if dice.often(0.3):
            new = [name for name in ("JER", "xsec", "free") if name not in known]
            config["parameters"] += [parameter(dice, name) for name in new]
        if config["parameters"] and dice.often(0.15):
            dice.one(config["parameters"])["inits"] = [2]
        if dice.often(0.1):
            config["poi"] = dice.one(("mu", "k_top"))


# -- what is asked for -------------------------------------------------------------


def names_in(document: Document) -> dict[str, list[str]]:
    """Sorted names of everything in a workspace that has one, and types."""
    samples = [s for found in document["channels"] for s in found["samples"]]
    modifiers = [m for found in samples for m in found["modifiers"]]
    found = {
        "channels": document["channels"],
        "samples": samples,
        "modifiers": modifiers,
        "measurements": document["measurements"],
    }
    names = {
        kind: sorted({r["name"] for r in records}) for kind, records in found.items()
    }
    return names | {"modifier_types": sorted({m["type"] for m in modifiers})}


def pruned_names(dice: Dice, document: Document) -> dict[str, list[str]]:
    """Names to prune of some kinds, now and then one that does not exist."""
    chances = {
        "channels": 0.15,
        "samples": 0.12,
        "modifiers": 0.25,
        "modifier_types": 0.15,
        "measurements": 0.15,
    }
    known = names_in(document)
    arguments = {k: dice.some(known[k], chance) for k, chance in chances.items()}
    if dice.often(0.15):
        kind = dice.one(tuple(chances))
        arguments[kind].append("shapefactor" if kind == "modifier_types" else "mu_SIG")
    return arguments


def new_names(dice: Dice, document: Document) -> dict[str, dict[str, str]]:
    """New names: fresh ones, names of others, swapped ones, for unknown names."""
    known = names_in(document)
    arguments: dict[str, dict[str, str]] = {}
    for kind in ("channels", "samples", "modifiers", "measurements"):
        chosen = [name for name in dice.some(known[kind], 0.25) if name != "lumi"]
        new = {name: f"{name}_new" for name in chosen}
        if len(chosen) > 1 and dice.often(0.5):  # a swap, or a turn of all names
            new = dict(zip(chosen, chosen[1:] + chosen[:1], strict=True))
        elif chosen and dice.often(0.25):
            new[chosen[0]] = dice.one(known[kind])
        arguments[kind] = new
    if dice.often(0.1):
        arguments[dice.one(tuple(arguments))]["mu_SIG"] = "mu_new"
    if dice.often(0.05):
        arguments["modifiers"]["lumi"] = "luminosity"
    return arguments


def _nothing(dice: Dice, document: Document) -> dict[str, Any]:
    del dice, document
    return {}


# -- results -----------------------------------------------------------------------


def short_digest(document: Any) -> str:
    """The first 16 hexadecimal digits of the digest that patchsets use."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def inputs_digest(operation: str) -> str:
    """Digest of all that goes into an operation's cases."""
    found = [[*one.documents, one.arguments] for one in cases(operation)]
    return short_digest(found)


def flaw(document: Document) -> str:
    """What is wrong with a workspace that its schema lets pass; "" if nothing."""
    lists = [document["channels"], document["observations"], document["measurements"]]
    lists += [found["samples"] for found in document["channels"]]
    lists += [found["config"]["parameters"] for found in document["measurements"]]
    keys = [[(record["name"],) for record in records] for records in lists]
    samples = [s for found in document["channels"] for s in found["samples"]]
    keys += [[(m["name"], m["type"]) for m in found["modifiers"]] for found in samples]
    if any(len(set(found)) < len(found) for found in keys):
        return "two of one name"
    counts = {found["name"]: len(found["data"]) for found in document["observations"]}
    for found in document["channels"]:
        if {len(s["data"]) for s in found["samples"]} != {counts.get(found["name"])}:
            return "numbers of bins differ"
    return ""

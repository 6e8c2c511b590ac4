"""A workspace without a fault, and faults to plant into it, one of each kind."""

import dataclasses
from typing import Any

import jsonpatch

from tests.workspaces import LUMI, histosys, modifier, normsys, sample, workspace

Operation = dict[str, Any]

BACKGROUND = "/channels/1/samples/0"
SIGNAL = "/channels/1/samples/1"
FAKES = "/channels/1/samples/2"
MULTIJET = "/channels/0/samples/1"
SCALE = f"{BACKGROUND}/modifiers/1"
SHAPE = f"{BACKGROUND}/modifiers/2"
PARAMETERS = "/measurements/0/config/parameters"
IN_BACKGROUND = {"channel": "SR", "sample": "background"}
IN_SIGNAL = {"channel": "SR", "sample": "signal"}
IN_FAKES = {"channel": "SR", "sample": "fakes"}
IN_SEARCH = {"measurement": "search"}


def clean() -> dict[str, Any]:
    """A workspace with modifiers of all types in which a check finds nothing."""
    k, lumi = modifier("normfactor", "k"), modifier("lumi", "lumi")
    control = [
        sample(
            *("background", [100.0, 80.0], k, normsys("scale", 0.95, 1.06)),
            modifier("staterror", "stat_CR", [5.0, 4.0]),
        ),
        sample("multijet", [20.0, 30.0], modifier("shapefactor", "free")),
    ]
    signal = [
        sample(
            *("background", [10.0, 6.0], k, normsys("scale", 0.9, 1.1)),
            histosys("shape", [9.0, 5.5], [11.5, 6.4]),
            modifier("staterror", "stat_SR", [1.0, 0.8]),
        ),
        sample(
            *("signal", [1.0, 4.0], modifier("normfactor", "mu"), lumi),
            histosys("shape", [0.9, 3.9], [1.1, 4.2]),
        ),
        sample("fakes", [2.0, 1.0], modifier("shapesys", "fakes_SR", [0.5, 0.4])),
    ]
    mu = {"name": "mu", "inits": [1.0], "bounds": [[0.0, 10.0]]}
    return workspace(
        {"CR": control, "SR": signal},
        {"CR": [150, 130], "SR": [13, 11]},
        {**LUMI, "bounds": [[0.9, 1.1]]},
        mu,
    )


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault, and what a check says about it.

    Attributes:
        kind: the kind of the finding.
        pointer: the place of the finding.
        names: the names of the finding.
        operations: the JSON patch that plants it.
        also: kinds of findings that come with it of necessity.
    """

    kind: str
    pointer: str
    names: dict[str, str]
    operations: tuple[Operation, ...]
    also: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The workspace with the fault in it."""
        return jsonpatch.apply_patch(clean(), list(self.operations))


def fault(
    kind: str,
    pointer: str,
    names: dict[str, str],
    *operations: Operation,
    also: tuple[str, ...] = (),
) -> Fault:
    """Make a fault."""
    return Fault(kind, pointer, names, operations, also)


def put(path: str, value: Any) -> Operation:
    """Replace a value, or add one that is not there."""
    return {"op": "add", "path": path, "value": value}


def swap(path: str, value: Any) -> Operation:
    """Replace a value in a list."""
    return {"op": "replace", "path": path, "value": value}


def configure(**settings: Any) -> Operation:
    """Add settings of a parameter to the measurement, as its third."""
    return put(f"{PARAMETERS}/-", settings)


NAN = float("nan")
SCALED = {**IN_BACKGROUND, "modifier": "scale"}
SHAPED = {**IN_BACKGROUND, "modifier": "shape"}
THIRD = f"{PARAMETERS}/2"
K = {**IN_SEARCH, "parameter": "k"}
MU = {**IN_SEARCH, "parameter": "mu"}

OBSERVATIONS = (
    fault(
        *("data-not-finite", "/observations/1/data/0", {"channel": "SR"}),
        swap("/observations/1/data/0", NAN),
    ),
    fault(
        *("data-negative", "/observations/1/data/1", {"channel": "SR"}),
        swap("/observations/1/data/1", -3),
    ),
    fault(
        *("data-fractional", "/observations/1/data", {"channel": "SR"}),
        swap("/observations/1/data/1", 8.5),
    ),
    fault(
        *("observation-without-channel", "/observations/2", {"channel": "VR"}),
        put("/observations/-", {"name": "VR", "data": [1]}),
    ),
)

TEMPLATES = (
    fault(
        *("not-finite", f"{SHAPE}/data/hi_data", SHAPED),
        swap(f"{SHAPE}/data/hi_data/1", NAN),
    ),
    fault(
        *("nominal-negative", f"{FAKES}/data/1", IN_FAKES),
        swap(f"{FAKES}/data/1", -1.0),
        swap(f"{FAKES}/modifiers/0/data/1", 0.0),
    ),
    fault(
        *("nominal-zero", f"{FAKES}/data", IN_FAKES),
        swap(f"{FAKES}/data/1", 0.0),
        swap(f"{FAKES}/modifiers/0/data/1", 0.0),
    ),
    fault(
        *("sample-empty", f"{FAKES}/data", IN_FAKES),
        swap(f"{FAKES}/data", [0.0, 0.0]),
        swap(f"{FAKES}/modifiers/0/data", [0.0, 0.0]),
    ),
    fault("normsys-zero", f"{SCALE}/data", SCALED, swap(f"{SCALE}/data/lo", 0)),
    fault(
        *("normsys-crosses-zero", f"{SCALE}/data", SCALED),
        swap(f"{SCALE}/data", {"lo": 0.01, "hi": 40.0}),
        also=("enormous", "effects-differ"),
    ),
    fault(
        *("normsys-product", f"{BACKGROUND}/modifiers", IN_BACKGROUND),
        swap(f"{SCALE}/data", {"lo": 0.4, "hi": 3.5}),
        put(f"{BACKGROUND}/modifiers/-", normsys("other", 0.4, 4.0)),
        also=("enormous", "enormous", "effects-differ"),
    ),
    fault(
        *("variations-equal", f"{SCALE}/data", SCALED),
        swap(f"{SCALE}/data", {"lo": 1.2, "hi": 1.2}),
    ),
    fault(
        *("zero-effect", f"{SCALE}/data", SCALED),
        swap(f"{SCALE}/data", {"lo": 1, "hi": 1.0}),
    ),
    fault("one-sided", f"{SCALE}/data", SCALED, swap(f"{SCALE}/data/lo", 1.0)),
    fault("same-side", f"{SCALE}/data", SCALED, swap(f"{SCALE}/data/lo", 1.05)),
    fault(
        *("enormous", f"{SHAPE}/data", SHAPED),
        swap(f"{SHAPE}/data/hi_data", [10.5, 19.0]),
    ),
    fault(
        *("histosys-zero-nominal", f"{FAKES}/modifiers/0/data"),
        {**IN_FAKES, "modifier": "tail"},
        swap(f"{FAKES}/data/1", 0.0),
        swap(f"{FAKES}/modifiers/0", histosys("tail", [1.9, 0.1], [2.1, 0.2])),
        also=("nominal-zero",),
    ),
)

UNCERTAINTIES = (
    fault(
        *("staterror-lost", f"{BACKGROUND}/modifiers/3/data/1"),
        {**IN_BACKGROUND, "modifier": "stat_SR"},
        swap(f"{BACKGROUND}/data/1", 0.0),
        swap(f"{SHAPE}/data/lo_data/1", 0.0),
        swap(f"{SHAPE}/data/hi_data/1", 0.0),
        also=("nominal-zero",),
    ),
    fault(
        *("staterror-negative-nominal", f"{BACKGROUND}/modifiers/3/data/1"),
        {**IN_BACKGROUND, "modifier": "stat_SR"},
        swap(f"{FAKES}/data/1", -1.0),
        swap(f"{FAKES}/modifiers/0", modifier("staterror", "stat_SR", [0.5, 0.5])),
        also=("nominal-negative",),
    ),
    fault(
        *("staterror-wide", f"{BACKGROUND}/modifiers/3/data/1"),
        {**IN_BACKGROUND, "modifier": "stat_SR"},
        swap(f"{BACKGROUND}/modifiers/3/data/1", 7.0),
    ),
    fault(
        *("shapesys-lost", f"{FAKES}/modifiers/0/data/1"),
        {**IN_FAKES, "modifier": "fakes_SR"},
        swap(f"{FAKES}/data/1", 0.0),
        also=("nominal-zero",),
    ),
    fault(
        *("shapesys-wide", f"{FAKES}/modifiers/0/data/1"),
        {**IN_FAKES, "modifier": "fakes_SR"},
        swap(f"{FAKES}/modifiers/0/data/1", 1.5),
    ),
    fault(
        *("uncertainty-negative", f"{FAKES}/modifiers/0/data/1"),
        {**IN_FAKES, "modifier": "fakes_SR"},
        swap(f"{FAKES}/modifiers/0/data/1", -0.4),
    ),
    fault(
        *("uncertainty-zero", f"{BACKGROUND}/modifiers/3/data"),
        {**IN_BACKGROUND, "modifier": "stat_SR"},
        swap(f"{BACKGROUND}/modifiers/3/data/1", 0.0),
    ),
    fault(
        *("staterror-across-channels", "/channels/0/samples/0/modifiers/2"),
        {"channel": "CR", "sample": "background", "modifier": "stat"},
        swap("/channels/0/samples/0/modifiers/2/name", "stat"),
        swap(f"{BACKGROUND}/modifiers/3/name", "stat"),
    ),
)

NAMES = (
    fault(
        *("shapefactor-widths", "/channels/1/samples/1/modifiers/0"),
        {"channel": "CR", "sample": "multijet", "modifier": "free"},
        put("/channels/0", {"name": "A", "samples": [sample("a", [1.0, 1.0, 2.0])]}),
        put("/channels/0/samples/0/modifiers/0", modifier("shapefactor", "free")),
        put("/observations/-", {"name": "A", "data": [1, 2, 3]}),
    ),
    fault(
        *("shared-opposite", f"{BACKGROUND}/modifiers/4"),
        {**IN_BACKGROUND, "modifier": "shape"},
        put(f"{BACKGROUND}/modifiers/-", normsys("shape", 1.2, 0.9)),
    ),
    fault(
        *("duplicate-systematics", f"{FAKES}/modifiers/2"),
        {**IN_FAKES, "modifier": "twin_b"},
        put(f"{FAKES}/modifiers/-", normsys("twin_a", 0.9, 1.1)),
        put(f"{FAKES}/modifiers/-", normsys("twin_b", 0.9, 1.1)),
    ),
    fault(
        *("effects-differ", SCALE, SCALED),
        swap("/channels/0/samples/0/modifiers/1/data", {"lo": 0.99, "hi": 1.01}),
        swap(f"{SCALE}/data", {"lo": 0.5, "hi": 1.6}),
    ),
    fault(
        *("names-alike", f"{FAKES}/modifiers/1"),
        {**IN_FAKES, "modifier": "Scale"},
        put(f"{FAKES}/modifiers/-", normsys("Scale", 0.9, 1.1)),
    ),
)

REFUSED = (
    fault(
        *("expression-refused", f"{THIRD}/expression", K),
        configure(name="k", expression="1 + muu / 10"),
        swap("/version", "1.0.0+hfjax.1"),
    ),
    fault(
        *("normsys-negative", SCALE, {**SCALED, "parameter": "scale"}),
        swap(f"{SCALE}/data/lo", -0.1),
    ),
    fault(
        *("shapesys-shared", f"{FAKES}/modifiers/0"),
        {**IN_FAKES, "modifier": "fakes_SR", "parameter": "fakes_SR"},
        put(f"{BACKGROUND}/modifiers/-", modifier("shapesys", "fakes_SR", [1.0, 1.0])),
    ),
    fault(
        *("staterror-mismatch", f"{FAKES}/modifiers/0"),
        {**IN_FAKES, "modifier": "stat", "parameter": "stat"},
        swap("/channels/0/samples/0/modifiers/2/name", "stat"),
        swap(f"{BACKGROUND}/modifiers/3/name", "stat"),
        swap(f"{FAKES}/modifiers/0", modifier("staterror", "stat", [0.5, 0.4])),
        also=("staterror-across-channels",),
    ),
    fault(
        *("name-conflict", f"{FAKES}/modifiers/0"),
        {**IN_FAKES, "modifier": "k", "parameter": "k"},
        swap(f"{FAKES}/modifiers/0", modifier("shapesys", "k", [0.5, 0.4])),
    ),
    fault(
        *("lumi-unconfigured", f"{PARAMETERS}/0"),
        {**IN_SEARCH, "parameter": "lumi"},
        {"op": "remove", "path": f"{PARAMETERS}/0/sigmas"},
    ),
    fault("setting-foreign", f"{THIRD}/sigmas", K, configure(name="k", sigmas=[0.1])),
    fault(
        *("setting-length", f"{THIRD}/inits"),
        {**IN_SEARCH, "parameter": "free"},
        configure(name="free", inits=[1.0, 1.0, 1.0]),
    ),
    fault(
        *("bounds-reversed", f"{THIRD}/bounds", K),
        configure(name="k", bounds=[[5.0, 0.0]]),
    ),
    fault(
        *("width-impossible", f"{PARAMETERS}/0/sigmas"),
        {**IN_SEARCH, "parameter": "lumi"},
        swap(f"{PARAMETERS}/0/sigmas", [0.0]),
    ),
    fault("init-outside-bounds", THIRD, K, configure(name="k", inits=[11.0])),
)

SETTINGS = (
    fault(
        *("setting-not-finite", f"{PARAMETERS}/0/sigmas"),
        {**IN_SEARCH, "parameter": "lumi"},
        swap(f"{PARAMETERS}/0/sigmas", [NAN]),
        also=("width-impossible",),
    ),
    fault(
        *("setting-unused", THIRD, {**IN_SEARCH, "parameter": "mu_BG"}),
        configure(name="mu_BG", fixed=True),
    ),
    fault("bounds-pinned", THIRD, K, configure(name="k", bounds=[[1, 1]])),
    fault(
        *("bounds-narrow", f"{PARAMETERS}/0", {**IN_SEARCH, "parameter": "lumi"}),
        swap(f"{PARAMETERS}/0/bounds", [[0.99, 1.1]]),
    ),
    fault("bounds-negative", THIRD, K, configure(name="k", bounds=[[-5, 5]])),
    fault(
        *("init-off-centre", THIRD, {**IN_SEARCH, "parameter": "scale"}),
        configure(name="scale", inits=[0.5]),
    ),
    fault(
        *("init-at-bound", THIRD, K),
        configure(name="k", inits=[1.0], bounds=[[1, 5]]),
    ),
    fault(
        *("normfactors-degenerate", f"{FAKES}/modifiers/2"),
        {**IN_FAKES, "modifier": "second", "parameter": "second"},
        put(f"{FAKES}/modifiers/-", modifier("normfactor", "first")),
        put(f"{FAKES}/modifiers/-", modifier("normfactor", "second")),
    ),
)

INTEREST = (
    fault(
        *("poi-several", "/measurements/0/config/poi"),
        {**IN_SEARCH, "parameter": "free"},
        swap("/measurements/0/config/poi", "free"),
    ),
    fault("poi-fixed", f"{PARAMETERS}/1/fixed", MU, put(f"{PARAMETERS}/1/fixed", True)),
    fault(
        *("poi-out-of-bounds", f"{PARAMETERS}/1", MU),
        swap(f"{PARAMETERS}/1", {"name": "mu", "bounds": [[0, 0.5]], "inits": [0.1]}),
    ),
    fault(
        *("poi-at-bound", f"{PARAMETERS}/1", MU),
        swap(f"{PARAMETERS}/1", {"name": "mu", "bounds": [[0, 1]], "inits": [0.1]}),
    ),
    fault(
        *("poi-negative", f"{PARAMETERS}/1", MU),
        swap(f"{PARAMETERS}/1/bounds", [[-1, 5]]),
    ),
    fault(
        *("poi-degenerate", f"{SIGNAL}/modifiers/3"),
        {**IN_SIGNAL, "modifier": "bsm", "parameter": "bsm"},
        put(f"{SIGNAL}/modifiers/-", modifier("normfactor", "bsm")),
    ),
    fault(
        *("poi-constrained", "/measurements/0/config/poi"),
        {**IN_SEARCH, "parameter": "scale"},
        swap("/measurements/0/config/poi", "scale"),
        also=("poi-negative",),
    ),
    fault(
        *("poi-no-effect", SIGNAL, {**IN_SIGNAL, "parameter": "mu"}),
        swap(f"{SIGNAL}/data", [0.0, 0.0]),
        {"op": "remove", "path": f"{SIGNAL}/modifiers/2"},
        also=("sample-empty", "parameter-no-effect"),
    ),
    fault(
        *("poi-missing", "/measurements/0/config/poi"),
        {**IN_SEARCH, "parameter": "mu_SIG"},
        swap("/measurements/0/config/poi", "mu_SIG"),
    ),
    fault(
        *("poi-none", "/measurements/0/config/poi", IN_SEARCH),
        swap("/measurements/0/config/poi", ""),
    ),
    fault(
        *("poi-spelling", "/measurements/0/config/poi", MU),
        swap("/measurements/0/config/poi", "MU"),
    ),
)


def scaled_by(name: str) -> dict[str, Any]:
    """A channel with one sample that a normfactor scales."""
    signal = sample("signal", [1.0, 2.0], modifier("normfactor", name))
    return {"name": "VR", "samples": [signal]}


PREDICTIONS = (
    fault(
        *("no-prediction", "/channels/2", {"channel": "VR"}),
        put("/channels/-", {"name": "VR", "samples": [sample("top", [1.0, 0.0])]}),
        put("/observations/-", {"name": "VR", "data": [1, 1]}),
        also=("nominal-zero",),
    ),
    fault(
        *("empty-bin", "/channels/2", {"channel": "VR"}),
        put("/channels/-", {"name": "VR", "samples": [sample("top", [1.0, 0.0])]}),
        put("/observations/-", {"name": "VR", "data": [1, 0]}),
        also=("nominal-zero",),
    ),
    fault(
        *("prediction-negative", "/channels/2", {"channel": "VR"}),
        put("/channels/-", {"name": "VR", "samples": [sample("top", [1.0, -1.0])]}),
        put("/observations/-", {"name": "VR", "data": [1, 0]}),
        also=("nominal-negative",),
    ),
    fault(
        *("start-without-prediction", "/channels/2", {"channel": "VR"}),
        put("/channels/-", scaled_by("nothing")),
        put("/observations/-", {"name": "VR", "data": [1, 1]}),
        put(f"{PARAMETERS}/-", {"name": "nothing", "inits": [0.0]}),
        also=("init-at-bound",),
    ),
    fault(
        *("start-negative", "/channels/2", {"channel": "VR"}),
        put("/channels/-", scaled_by("less")),
        put("/observations/-", {"name": "VR", "data": [1, 1]}),
        put(f"{PARAMETERS}/-", {"name": "less", "inits": [-1], "bounds": [[-5, 5]]}),
        also=("bounds-negative",),
    ),
    fault(
        *("no-background", "/channels/2", {"channel": "VR"}),
        put("/channels/-", scaled_by("mu")),
        put("/observations/-", {"name": "VR", "data": [1, 0]}),
    ),
    fault(
        *("channel-negative", "/channels/2", {"channel": "VR", "parameter": "tilt"}),
        put("/channels/-", {"name": "VR", "samples": [sample("top", [2.0, 2.0])]}),
        put(
            "/channels/2/samples/0/modifiers/0",
            histosys("tilt", [2.2, 1.9], [0.9, 2.1]),
        ),
        put("/observations/-", {"name": "VR", "data": [1, 3]}),
        also=("sample-negative",),
    ),
    fault(
        *("sample-negative", f"{FAKES}/modifiers/1"),
        {**IN_FAKES, "modifier": "tilt", "parameter": "tilt"},
        put(f"{FAKES}/modifiers/-", histosys("tilt", [2.2, 0.4], [1.8, 1.1])),
    ),
    fault(
        *("parameter-no-effect", f"{FAKES}/modifiers/1"),
        {**IN_FAKES, "modifier": "dust", "parameter": "dust"},
        put(f"{FAKES}/modifiers/-", normsys("dust", 1.0, 1.0)),
        also=("zero-effect",),
    ),
    fault(
        *("parameter-flat", "/channels/0/samples/2"),
        {"channel": "CR", "sample": "ghost", "parameter": "scale_ghost[1]"},
        put(
            "/channels/0/samples/-",
            sample("ghost", [1.0, 0.0], modifier("shapefactor", "scale_ghost")),
        ),
        also=("nominal-zero",),
    ),
)

FAULTS = (
    *(*OBSERVATIONS, *TEMPLATES, *UNCERTAINTIES, *NAMES),
    *(*REFUSED, *SETTINGS, *INTEREST, *PREDICTIONS),
)

"""Log-densities of our HS3 documents, as NextStat and pyhs3 evaluate them.

Neither is needed by a test: the numbers are in `hs3_readers.json`. To make them anew,
write the documents with hfjax, and read them where a reader is installed:

    python -m tests.reference.hs3_readers write FOLDER
    python tests/reference/hs3_readers.py nextstat FOLDER
    python tests/reference/hs3_readers.py pyhs3 FOLDER

Versions: NextStat 0.10.1, pyhs3 0.4.2. Both take the `vals` of a shapesys for absolute
uncertainties, so the documents have these. What they leave out, and is left out here:
NextStat interpolates HS3 documents by code1 and code0, which are code4 and code4p at
whole numbers only; pyhs3 refuses staterrors in a likelihood, and knows a constraint of
a normfactor only if the likelihood lists it under `aux_distributions`.
"""

import copy
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

NUMBERS = Path(__file__).parent / "hs3_readers.json"
CASES = {
    "interpolated": ("pyhs3",),
    "whole_alphas": ("nextstat", "pyhs3"),
    "staterror": ("nextstat",),
    "shapesys": ("nextstat", "pyhs3"),
    "lumi": ("nextstat", "pyhs3"),
    "several": ("nextstat",),
}
"""The documents, and who reads them."""

Points = list[dict[str, float]]


def documents() -> dict[str, dict[str, Any]]:
    """The workspaces of the cases."""
    w = importlib.import_module("tests.workspaces")
    tilt = w.histosys("tilt", [18, 24, 41], [23, 21, 38])
    alphas = {
        "SR": [
            w.sample("signal", [2, 5, 1], w.MU, w.normsys("acc", 0.8, 1.3)),
            w.sample("top", [20, 22, 40], tilt, w.normsys("tilt", 0.9, 1.2)),
        ],
        "CR": [
            w.sample(
                *("top", [60], w.histosys("tilt", [55], [66])),
                w.modifier("shapefactor", "free"),
            )
        ],
    }
    stat = [
        w.modifier("staterror", "staterror_SR", data)
        for data in ([0.5, 0.5, 0.2], [2, 1, 1])
    ]
    shape = w.modifier("shapesys", "fake", [2, 1, 5])
    lumi = w.modifier("lumi", "lumi")
    signal, top = ("signal", [2, 5, 1], w.MU), ("top", [20, 22, 40])
    channels = {
        "interpolated": alphas,
        "whole_alphas": alphas,
        "staterror": {"SR": [w.sample(*signal, stat[0]), w.sample(*top, stat[1])]},
        "shapesys": {"SR": [w.sample(*signal), w.sample(*top, shape)]},
        "lumi": {"SR": [w.sample(*signal, lumi), w.sample(*top, lumi)]},
        "several": {
            "SR": [w.sample(*signal, stat[0], lumi), w.sample(*top, stat[1], tilt)],
            "CR": [w.sample("top", [60], w.normsys("tilt", 0.9, 1.2))],
        },
    }
    observed = {"SR": [23, 30, 39], "CR": [57]}
    return {
        name: w.workspace(found, {key: observed[key] for key in found}, w.LUMI)
        for name, found in channels.items()
    }


def points(names: list[str], whole: bool) -> Points:
    """Parameters at which densities are compared, by their names in HS3."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(4):
        alphas = (
            rng.integers(-2, 3, len(names)) if whole else rng.normal(size=len(names))
        )
        scales = np.exp(0.1 * rng.normal(size=len(names)))
        found.append(
            {
                name: float(alphas[i] if name.startswith("alpha_") else scales[i])
                for i, name in enumerate(names)
            }
        )
    return found


def write(folder: Path) -> None:
    """Write the documents of the cases, and the parameters, into a folder."""
    spec = importlib.import_module("hfjax.documents.workspace.workspace")
    hs3 = importlib.import_module("hfjax.documents.convert.hs3.write")
    columns = importlib.import_module("hfjax.documents.convert.hs3.columns").columns
    absolute = importlib.import_module(
        "hfjax.documents.convert.hs3.shape_errors"
    ).ShapeSysValues.ABSOLUTE
    numbers = {}
    for case, document in documents().items():
        workspace = spec.Workspace.parse(document)
        written = hs3.write_hs3(workspace, absolute)
        (folder / f"{case}.json").write_text(json.dumps(written))
        names = [name for each in columns(workspace).values() for name in each.names]
        numbers[case] = {"points": points(names, "nextstat" in CASES[case])}
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n")


def read(folder: Path, reader: str) -> None:
    """Let a reader evaluate the documents, and keep its numbers."""
    numbers = json.loads(NUMBERS.read_text())
    for case, readers in CASES.items():
        if reader in readers:
            document = json.loads((folder / f"{case}.json").read_text())
            numbers[case][reader] = READERS[reader](document, numbers[case]["points"])
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n")


def nextstat_densities(document: dict[str, Any], at: Points) -> list[float]:
    """Log-densities by NextStat."""
    nextstat = importlib.import_module("nextstat")
    model = nextstat.HistFactoryModel.from_hs3(json.dumps(document))
    names = model.parameter_names()
    return [-model.nll([point[name] for name in names]) for point in at]


def pyhs3_densities(document: dict[str, Any], at: Points) -> list[float]:
    """Log-densities by pyhs3."""
    pyhs3, pytensor = map(importlib.import_module, ("pyhs3", "pytensor"))
    traversal = importlib.import_module("pytensor.graph.traversal")
    document = copy.deepcopy(document)
    names = {found["name"] for found in document["distributions"]}
    if "lumiConstraint" in names:
        document["likelihoods"][0]["aux_distributions"] = ["lumiConstraint"]
    model = pyhs3.Workspace(**document).model("search", progress=False)
    inputs = list(traversal.explicit_graph_inputs([model.log_prob]))
    function = pytensor.function(inputs, model.log_prob, on_unused_input="ignore")
    found = []
    for point in at:
        values = {**model.nominal_params, **point}
        arguments = [np.asarray(values[each.name], each.dtype) for each in inputs]
        found.append(float(np.squeeze(function(*arguments))))
    return found


READERS = {"nextstat": nextstat_densities, "pyhs3": pyhs3_densities}

if __name__ == "__main__":
    task, target = sys.argv[1], Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    if task == "write":
        write(target)
    else:
        read(target, task)

"""Read HistFactory XML with pyhf and write down what comes out, as numbers.

    python tests/reference/xml_with_pyhf.py DATA/xml > xml_with_pyhf.json

in an environment that has pyhf 0.7.6 with its extra `xmlio`. For each top-level file:
the digest of the document, and for each measurement the names of the parameters and
the log-density at a few points.
"""

import json
import sys
from pathlib import Path

import numpy as np

FILES = (
    "multibin_histfactory/config/example.xml",
    "multichan_coupledhistosys_histfactory/config/example.xml",
    "multichannel_histfactory/config/example.xml",
    "overallsys_histfactory/config/example.xml",
    "shared_nuispar_across_types/config/example.xml",
    "shared_nuispar_across_types/config/example_notshared.xml",
    "xmlimport_input/config/example.xml",
    "xmlimport_input/config/examples/example_DataDriven.xml",
    "xmlimport_input/config/examples/example_Expression.xml",
    "xmlimport_input/config/examples/example_ShapeSys.xml",
    "xmlimport_input/config/examples/example_ShapeSys2D.xml",
)
POINTS = 4


def main(folder: Path) -> None:
    """Write what pyhf makes of all files."""
    json.dump({name: read(folder, name) for name in FILES}, sys.stdout, indent=1)


def read(folder: Path, name: str) -> dict:
    """What pyhf makes of one file; the type of its exception where it fails."""
    import pyhf.readxml

    pyhf.readxml.clear_filecache()
    try:
        document = pyhf.readxml.parse(folder / name, folder / name.split("/")[0])
    except Exception as error:
        return {"error": type(error).__name__}
    workspace = pyhf.Workspace(document)
    return {
        "digest": pyhf.utils.digest(document),
        "measurements": {
            each["name"]: densities(workspace, each["name"])
            for each in document["measurements"]
        },
    }


def densities(workspace, measurement: str) -> dict:
    """Parameters of a measurement and log-densities at points near their start."""
    try:
        model = workspace.model(measurement_name=measurement)
    except Exception as error:  # a parameter of interest that a function would make
        return {"error": type(error).__name__}
    data = workspace.data(model)
    generator = np.random.default_rng(1)
    init = np.array(model.config.suggested_init())
    points = init + generator.uniform(-0.3, 0.3, (POINTS, len(init)))
    return {
        "names": model.config.par_names,
        "points": points.tolist(),
        "logpdf": [float(model.logpdf(p.tolist(), data)[0]) for p in points],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))

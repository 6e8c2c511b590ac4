"""How CLs changes with the signal's yield in each bin, by finite differences.

Derivatives through a fit, and so of CLs, are not available yet: `jax.grad` of one is
an error. All models here have one shape, so they share one compiled program: the loop
costs milliseconds a bin.
"""

import copy
from pathlib import Path

import jax

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patch = hfjax.PatchSet.load(folder / "patchset.json")["parent_600_lsp_240"]


def CLs(operation: int, bin: int, shift: float) -> float:
    """Observed CLs with the signal's nominal yield in one bin shifted."""
    operations = copy.deepcopy(list(patch.operations))
    operations[operation]["value"]["data"][bin] += shift
    model, data = hfjax.build(workspace, patch=operations)
    return float(hfjax.hypotest(model, data, poi_value=1.0).CLs_obs)


print("channel    bin  events    dCLs/dyield")
for at, operation in enumerate(patch.operations):
    channel = workspace.channels[int(operation["path"].split("/")[2])]
    for bin, events in enumerate(operation["value"]["data"]):
        step = 1e-3 * events  # central differences: error of the order of step^2
        slope = (CLs(at, bin, step) - CLs(at, bin, -step)) / (2 * step)
        print(f"{channel.name:8} {bin:5d} {events:8.3f} {slope:14.6f}")

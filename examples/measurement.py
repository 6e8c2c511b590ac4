"""A measurement from fit to figures: all that one does with a workspace, in order.

python examples/measurement.py [FOLDER]    # figures go to FOLDER, if there is one
"""

import sys
from pathlib import Path

import jax
import numpy as np

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patch = hfjax.PatchSet.load(folder / "patchset.json")["parent_600_lsp_240"]
model, data = hfjax.build(workspace, patch=patch)
mu = model.poi_name

fit = hfjax.fit(model, data)
errors = hfjax.covariance(model, data, fit)
ranking = hfjax.impacts(model, data)
parts = hfjax.uncertainty_breakdown(model, data)
scan = hfjax.profile(model, data, {mu: np.linspace(0.0, 1.0, 11)})
limit = hfjax.upper_limit(model, data)
discovery = hfjax.significance(model, data)
quality = hfjax.goodness_of_fit(model, data)
events = hfjax.yields(model, data, fit)

print(f"{mu} = {fit[mu]:.3f} +- {errors[mu]:.3f}", end="\n\n")
print(parts, ranking, scan, limit, discovery, quality, events, sep="\n\n")

if len(sys.argv) > 1:
    target = Path(sys.argv[1])
    pulls = hfjax.pulls(model, data, fit)
    pulled = hfjax.pull_uncertainties(model, data, errors)
    picture = hfjax.draw_fit(fit, pulls=pulls, pull_uncertainties=pulled)
    picture.write(target / "pulls.pdf")
    hfjax.draw_correlations(errors).write(target / "correlations.pdf")
    hfjax.draw_impacts(ranking).write(target / "ranking.pdf")
    hfjax.draw_profile(scan).write(target / "scan.pdf")
    hfjax.draw_limit(limit).write(target / "limit.pdf")
    hfjax.draw_distributions(events).write(target / "distributions.pdf")

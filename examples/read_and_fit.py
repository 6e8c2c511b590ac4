"""Read a background-only workspace and its patchset, add one signal, and fit."""

from pathlib import Path

import jax

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patchset = hfjax.PatchSet.load(folder / "patchset.json")
patchset.verify(workspace)  # the digest: these signals belong to this background

# A patch is found by its name, or by the values of its labels.
patch = patchset[600, 240]
print(patch.name, dict(zip(patchset.labels, patch.values, strict=True)))

model, data = hfjax.build(workspace, patch=patch)
best = hfjax.fit(model, data)
print(f"-2 ln L = {best.twice_nll:.6f} after {best.steps} steps")
for name, value in zip(model.parameters.names, best.params, strict=True):
    print(f"{name:24} {value:9.4f}")

# What that fit expects, channel by channel, beside what was observed.
rates = model.expected_rates(best.params)
start = 0
for channel, bins in zip(model.names.channels, model.names.bins, strict=True):
    inside = slice(start, start + bins)
    expected = rates[:, inside].sum()
    print(f"{channel:24} {expected:9.2f} {data.main[inside].sum():9.0f}")
    start += bins

result = hfjax.hypotest(model, data, poi_value=1.0)
print(f"observed CLs = {result.CLs_obs:.6f}, expected {result.CLs_exp[2]:.6f}")

"""How CLs changes with the yield of a signal in each bin: its derivative, not steps.

The derivatives of best fits are those of the implicit function theorem, so that one
reverse pass has the slopes of all bins. What follows from the yields when a model is
built, such as its systematic variations in events, stands still here.
"""

from pathlib import Path

import equinox as eqx
import jax

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patch = hfjax.PatchSet.load(folder / "patchset.json")["parent_600_lsp_240"]
model, data = hfjax.build(workspace, patch=patch)
(signal,) = {operation["value"]["name"] for operation in patch.operations}
row = model.names.samples.index(signal)


def CLs(yields: jax.Array) -> jax.Array:
    """Observed CLs of the model with other nominal yields of the signal."""
    nominal = model.block.nominal.at[row].set(yields)
    changed = eqx.tree_at(lambda m: m.block.nominal, model, nominal)
    return hfjax.hypotest(changed, data, poi_value=1.0).CLs_obs


yields = model.block.nominal[row]
slopes = jax.grad(CLs)(yields)
print("channel    bin  events    dCLs/dyield")
at = 0
for channel, bins in model.names.channel_bins:
    for bin in range(bins):
        print(f"{channel:8} {bin:5d} {yields[at]:8.3f} {slopes[at]:14.6f}")
        at += 1

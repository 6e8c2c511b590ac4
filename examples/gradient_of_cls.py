"""How CLs changes with the yield of a signal in each bin: its derivative, not steps.

The derivatives of best fits are those of the implicit function theorem, so that one
reverse pass has the slopes of all bins. The variations and uncertainties of the signal
stay what they are in events; what follows from them and the yields is differentiated.
"""

from pathlib import Path

import jax

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patch = hfjax.PatchSet.load(folder / "patchset.json")["parent_600_lsp_240"]
model, data = hfjax.build(workspace, patch=patch)
(signal,) = {operation["value"]["name"] for operation in patch.operations}
yields = {
    (channel.name, signal): jax.numpy.array(sample.data)
    for channel in patch.apply(workspace).channels
    for sample in channel.samples
    if sample.name == signal
}


def CLs(yields: dict[tuple[str, str], jax.Array]) -> jax.Array:
    """Observed CLs of the model with other nominal yields of the signal."""
    return hfjax.hypotest(model.with_yields(yields), data, poi_value=1.0).CLs_obs


slopes = jax.grad(CLs)(yields)
print("channel    bin  events    dCLs/dyield")
for (channel, _), events in yields.items():
    for bin, slope in enumerate(slopes[channel, signal]):
        print(f"{channel:8} {bin:5d} {events[bin]:8.3f} {slope:14.6f}")

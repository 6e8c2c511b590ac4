"""One function of a model, for all signals of a patchset at once.

The batch keeps the background's arrays once and stacks only what the patches bring.
Fits of many points are what `hfjax.scan` is for; this is for everything else.
"""

from pathlib import Path

import jax

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patchset = hfjax.PatchSet.load(folder / "patchset.json")


def look(model, data):
    """Events, log-likelihood ratio and its slope at mu_SIG = 0 of one signal."""

    def log_density(mu):
        return model.logpdf(model.parameters.pack({"mu_SIG": mu}), data)

    def events(mu):
        return model.expected_data(model.parameters.pack({"mu_SIG": mu})).main.sum()

    ratio = log_density(1.0) - log_density(0.0)
    return events(1.0) - events(0.0), ratio, jax.grad(log_density)(0.0)


batch = hfjax.build_scan(workspace, patchset)
print(f"{'signal':24} {'events':>9} {'ln L1/L0':>10} {'d ln L/d mu':>12}")
for name, *numbers in zip(batch.names, *batch.vmap(look), strict=True):
    print(f"{name:24} {numbers[0]:9.3f} {numbers[1]:10.4f} {numbers[2]:12.4f}")

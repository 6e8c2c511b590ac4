"""One function of a model, for all signals of a patchset at once: `jax.vmap`.

The batch keeps the background's arrays once and stacks only what the patches bring, so
a function of one signal's own arrays is all that has to be written. Fits of many points
are what `hfjax.scan` is for; this is for everything else.
"""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp

import hfjax

jax.config.update("jax_enable_x64", True)

folder = Path(__file__).parent
workspace = hfjax.Workspace.load(folder / "BkgOnly.json")
patchset = hfjax.PatchSet.load(folder / "patchset.json")
group = hfjax.build_scan(workspace, patchset).groups[0]
nominal = jnp.asarray(group.template.parameters.init)


def log_density(mu, own):
    """Log-density of the data with the nuisance parameters at their nominal values."""
    model, data = eqx.combine(group.shared, own)
    return model.logpdf(nominal.at[model.poi].set(mu), data)


def signal_events(own):
    """Events that the signal adds to all channels."""
    model, _ = eqx.combine(group.shared, own)

    def total(mu):
        return model.expected_rates(nominal.at[model.poi].set(mu)).sum()

    return total(1.0) - total(0.0)


@jax.jit
def all_points(stacked):
    """Events, log-likelihood ratio and slope at mu = 0 of every signal."""
    events = jax.vmap(signal_events)(stacked)
    density = jax.vmap(log_density, in_axes=(None, 0))
    slope = jax.vmap(jax.grad(log_density), in_axes=(None, 0))(0.0, stacked)
    return events, density(1.0, stacked) - density(0.0, stacked), slope


print(f"{'signal':24} {'events':>9} {'ln L1/L0':>10} {'d ln L/d mu':>12}")
for member, *numbers in zip(group.members, *all_points(group.stacked), strict=True):
    print(f"{member.name:24} {numbers[0]:9.3f} {numbers[1]:10.4f} {numbers[2]:12.4f}")

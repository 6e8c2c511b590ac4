"""The smallest search: two bins, one signal, one uncertainty in each bin."""

import jax

import hfjax

jax.config.update("jax_enable_x64", True)

mu = {"name": "mu", "type": "normfactor", "data": None}
uncertainty = {"name": "bkg_uncertainty", "type": "shapesys", "data": [3.0, 7.0]}
workspace = hfjax.Workspace.parse(
    {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {"name": "signal", "data": [12.0, 11.0], "modifiers": [mu]},
                    {"name": "bkg", "data": [50.0, 52.0], "modifiers": [uncertainty]},
                ],
            }
        ],
        "observations": [{"name": "SR", "data": [51, 48]}],
        "measurements": [{"name": "search", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
)

model, data = hfjax.build(workspace)
result = hfjax.hypotest(model, data, poi_value=1.0)

print(f"observed CLs  {result.CLs_obs:.10f}")
for sigma, CLs in zip(range(-2, 3), result.CLs_exp, strict=True):
    print(f"expected CLs  {CLs:.10f}  at {sigma:+d} sigma")
print(f"best fit      mu = {result.mu_hat:.6f}")

assert abs(result.CLs_obs - 0.0525155251461) < 1e-10  # from the closed form

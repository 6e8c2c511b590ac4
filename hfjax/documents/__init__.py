"""Documents: workspaces and patchsets, in plain Python without JAX."""

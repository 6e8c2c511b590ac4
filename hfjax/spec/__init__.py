"""Documents: workspaces, patchsets and their schemas, in plain Python without JAX."""

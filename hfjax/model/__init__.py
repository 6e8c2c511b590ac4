"""Models: likelihoods as pytrees, compiled from workspaces."""

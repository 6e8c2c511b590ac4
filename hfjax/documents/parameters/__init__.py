"""The parameters that a workspace has: sets, constraint terms, settings."""

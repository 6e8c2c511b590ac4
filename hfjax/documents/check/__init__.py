"""Checks of workspaces: what is valid in them and will hurt."""

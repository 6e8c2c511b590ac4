"""Summaries of workspaces and patchsets."""

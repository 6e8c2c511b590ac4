"""Edits of whole workspaces: combine, prune, rename, select, sort."""

"""Workspaces: their parts, measurements, expressions, builders and signals."""

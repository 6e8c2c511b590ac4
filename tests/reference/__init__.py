"""Slow references written from the formulas, independent of the library."""

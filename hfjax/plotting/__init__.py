"""Figures of result records; what draws them is imported when one is drawn."""

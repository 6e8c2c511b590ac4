"""Matplotlib figures of result records; matplotlib is imported when one is drawn."""

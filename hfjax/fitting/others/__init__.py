"""Minimizers of other packages behind the signature of our own."""

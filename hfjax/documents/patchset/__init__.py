"""Patchsets: read, look up, verify, apply and make them."""

"""Compiled programs: called as values, and kept from one process to the next."""

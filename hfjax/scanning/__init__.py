"""Many signal points at once."""

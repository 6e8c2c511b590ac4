"""Results as tables for people, on a terminal and in pages."""

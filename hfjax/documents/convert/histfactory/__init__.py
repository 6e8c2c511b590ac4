"""HistFactory XML: read into workspaces, and written from them."""

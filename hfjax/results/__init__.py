"""Records of results, as JSON and back."""

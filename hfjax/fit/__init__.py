"""Best fits."""

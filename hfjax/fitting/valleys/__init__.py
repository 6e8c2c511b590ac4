"""The search for the lowest of several valleys."""

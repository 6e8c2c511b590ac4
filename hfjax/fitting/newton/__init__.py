"""The minimizer: trust-region Newton steps inside a box."""

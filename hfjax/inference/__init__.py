"""Statements about parameters: test statistics, p-values, hypothesis tests."""

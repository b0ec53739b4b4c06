"""Requests that nobody makes, and what would be decided of them."""

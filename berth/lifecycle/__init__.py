"""Lifecycle policies: which images a repository lets go of, and when."""

"""Copies of images in other regions and accounts: the rules, the backfills, and how far a copy has come."""

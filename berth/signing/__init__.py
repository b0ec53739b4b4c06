"""Signatures on images as they are pushed: the rules, and what became of them."""

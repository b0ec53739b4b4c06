"""Temporary credentials: sessions, and the ways to one."""

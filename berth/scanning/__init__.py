"""Scanning of images for vulnerabilities: what is to be scanned, and when. Berth has no scanner."""

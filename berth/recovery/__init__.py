"""Deleted images come back: as they were, byte for byte, with the tags that no other image took meanwhile."""

"""Repository creation templates: what the repositories that a registry creates by itself are to be like."""

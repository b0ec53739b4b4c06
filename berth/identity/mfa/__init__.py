"""Second factors: whether a caller has its MFA device at hand."""

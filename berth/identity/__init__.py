"""Who calls, how that is proven, and what they may do."""

"""`berth doctor`: what Berth needs, checked thing by thing, and how to mend what is wrong."""

"""`berth up`: everything that Berth needs on one machine, started in order, kept running, and stopped in order."""

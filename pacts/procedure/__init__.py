"""The rules of a dispute as plain Python: its clocks, its limits, what a rule decides alone."""

"""Trying several agents at once: tasks brought in, a forecast, one start, one board."""

"""Who hears of what, and how: the log is read once, and each party it concerns is told."""

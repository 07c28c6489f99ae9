"""Routes: the best agent that keeps its pact right now answers, and another when it does not."""

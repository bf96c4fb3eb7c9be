"""How the background moves behind a hole, and what other frames show of it."""

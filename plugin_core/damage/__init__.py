"""Film damage: dirt on single frames and running scratches, found and repaired."""

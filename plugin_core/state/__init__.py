"""What is remembered of a shot: the carry, where its crops stand, checkpoints and the journal."""

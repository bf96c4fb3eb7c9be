"""Film restoration from disk to disk: mattes of the damage, or the shot without it."""

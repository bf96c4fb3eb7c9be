"""What is asked for: shots, settings and runs, validated, and paths mapped between machines."""

"""What a render says while it runs, and how it is told to stop."""

"""Set a host up: which files go where, and how to take them out again."""

"""Files made from the core's declarations, and the command that makes them: `make generated`."""

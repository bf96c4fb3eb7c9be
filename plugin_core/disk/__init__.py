"""Files on disk: written whole or not at all, fingerprinted, and claimed by one render at a time."""

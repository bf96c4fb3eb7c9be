"""Judge a result: the untouched pixels, the fill, and sheets to look at."""

"""Numbered frames in any file: ranges, sequences, movies, and what their headers say."""

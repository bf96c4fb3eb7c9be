"""A page to review a rendered shot by: pictures, plots, faults, and a place for notes."""

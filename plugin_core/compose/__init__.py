"""The fill into the plate: blended, with grain, and shown in layers."""

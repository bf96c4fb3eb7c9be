"""One shot from disk to disk: sources, plan, frames in order, resume and hand-over."""

"""Another aspect for a shot: the background is squeezed, and its objects are laid back at their own size."""

"""The painter: channels beside the interpolation that learn to continue what is around a hole."""

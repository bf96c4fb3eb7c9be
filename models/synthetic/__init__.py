"""Made shots with exact truth: pictures, layers, motion, look and holes."""

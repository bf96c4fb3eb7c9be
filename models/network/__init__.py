"""VINet itself in PyTorch: the module, its weights, what can be left out of it, how deep it fills."""

"""VINet itself: the network in PyTorch, its training, its export to ONNX, and the bundles that ship.

Installed as the package `cleanplate_models`, so that it can't shadow anybody's `models`. Everything but the
shipped bundle needs the `[train]` extra (torch, onnx).
"""

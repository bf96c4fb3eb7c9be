"""A network as a bundle of ONNX graphs."""

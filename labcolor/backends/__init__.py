"""The libraries that run networks: Keras, TensorFlow, LiteRT and ONNX Runtime."""

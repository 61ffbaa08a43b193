"""Video: coloring of frames as a stream, with colors that are steady over time."""

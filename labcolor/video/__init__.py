"""Videos: colored as a stream, with colors that hold over time."""

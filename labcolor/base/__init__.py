"""Basic functions for all other modules: parameters, paths, threads and processes."""

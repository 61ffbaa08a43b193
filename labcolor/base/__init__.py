"""The ground: parameters, paths, threads and processes, for all other modules."""

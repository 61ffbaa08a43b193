"""Known colors from other photographs, from references and from earlier frames."""

"""Known colors: of other photographs, of references, and of earlier frames."""

"""Known colors: those of other photographs, of references, and of what was seen before."""

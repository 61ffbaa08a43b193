"""Views of pictures side by side, for notebooks and files."""

"""What counts as a picture: its checks, its small version, its bars and its hints."""

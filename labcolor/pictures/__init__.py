"""Pictures: their checks, their small versions, their bars and their hints."""

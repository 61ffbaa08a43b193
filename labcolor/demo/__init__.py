"""The demo: a page and an HTTP endpoint that color pictures."""

"""Training: pictures turned into batches, the loop, and how hints learn to spread."""

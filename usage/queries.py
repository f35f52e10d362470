"""What was used, and how far the count is complete."""

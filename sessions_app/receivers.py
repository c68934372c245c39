"""What billing tells outward, and what it means for a help session."""

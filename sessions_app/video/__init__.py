"""What carries the call of a session: the two browsers themselves, or a room at a video service."""

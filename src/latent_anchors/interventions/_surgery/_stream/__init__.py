"""Which weights write into a stream that many layers add to, and which read it, in one pass."""

"""Means over all pairs of a set, in memory that grows linearly with its size."""

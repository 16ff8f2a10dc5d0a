"""Losses that train toward a teacher, a token, an output under edits, or captured latents."""

"""Directions that are found afterwards in recorded latents, each with an edit and a gate."""

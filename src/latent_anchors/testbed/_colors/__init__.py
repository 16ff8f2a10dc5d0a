"""Measures and audits of models that reconstruct colors."""

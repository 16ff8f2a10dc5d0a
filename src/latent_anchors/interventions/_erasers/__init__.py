"""Erasers fitted on labeled latents: mean difference, CAV, LEACE."""

"""Definitions of nouns, by topic: as tokens, and what language models lose on them."""

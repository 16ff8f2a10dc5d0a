"""The color-mixing language, and measures and audits of models of its lines."""

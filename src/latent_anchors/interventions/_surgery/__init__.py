"""Surgery: edits baked into the weights around a site, as a new model."""

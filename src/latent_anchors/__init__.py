"""latent_anchors."""

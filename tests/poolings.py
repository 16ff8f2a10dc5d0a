"""Every pooling of the room, by its public name."""

from latent_anchors import regularizers as reg

POOLINGS = {
    "mean_pool": reg.mean_pool,
    "max_pool": reg.max_pool,
    "min_pool": reg.min_pool,
    "soft_minimum": reg.soft_minimum,
    "SoftMinimum": reg.SoftMinimum(0.5),
}

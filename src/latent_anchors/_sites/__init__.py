"""Sites: layers by name, found through wrappers and under every spelling."""

from latent_anchors._sites._layers import (
    callable_layers,
    each_once,
    every_name,
    has_forward,
    has_second_names,
    innermost,
    layers_of,
    unwrapped,
)
from latent_anchors._sites._lookup import Place, expanded, matching, path, resolve, site_in
from latent_anchors._sites._site import At, Key, Side, Site, as_site, as_sites, is_pattern

__all__ = [
    "At",
    "Key",
    "Place",
    "Side",
    "Site",
    "as_site",
    "as_sites",
    "callable_layers",
    "each_once",
    "every_name",
    "expanded",
    "has_forward",
    "has_second_names",
    "innermost",
    "is_pattern",
    "layers_of",
    "matching",
    "path",
    "resolve",
    "site_in",
    "unwrapped",
]

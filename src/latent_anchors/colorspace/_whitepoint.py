"""XYZ in shares of white's, and where CIELAB bends."""

import torch

from latent_anchors.colorspace._planes import rows_of
from latent_anchors.colorspace._xyz import D65, brightest, matrix_to_xyz

DELTA = 6 / 29
"""Cube root of the share of white under which CIELAB is a straight line."""

# In shares of white's X, Y, Z, so that grays have three equal shares.
_shares = matrix_to_xyz() / brightest(*D65)[:, None]
TO_SHARES = rows_of(_shares)
FROM_SHARES = rows_of(torch.inverse(_shares))

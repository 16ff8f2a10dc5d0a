import torch

from latent_anchors.colorspace._whitepoint import DELTA, FROM_SHARES, TO_SHARES


def test_white_has_all_of_each_share_and_the_way_back_exists():
    to_shares, from_shares = (torch.tensor(m).double() for m in (TO_SHARES, FROM_SHARES))
    torch.testing.assert_close(to_shares.sum(-1), torch.ones(3).double())
    torch.testing.assert_close(from_shares @ to_shares, torch.eye(3).double(), atol=1e-6, rtol=0)


def test_curve_and_straight_line_meet_with_the_same_slope():
    assert abs(DELTA - (DELTA / 3 + 4 / 29)) < 1e-15

import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace._hexagon import shortfalls


@given(hue=st.floats(-2, 2))
def test_one_remainder_does_the_work_of_three(hue):
    red, green, blue = shortfalls(torch.tensor(hue, dtype=torch.float64)[None])
    for n, shortfall in ((5, red), (3, green), (1, blue)):
        k = torch.tensor((n + 6 * hue) % 6, dtype=torch.float64)
        expected = torch.minimum(k, 4 - k).clamp(0, 1)[None]
        torch.testing.assert_close(shortfall, expected, atol=1e-12, rtol=0)


def test_some_channel_never_falls_short():
    around = torch.linspace(0, 1, 1001)
    assert not torch.stack(shortfalls(around)).amin(0).any()

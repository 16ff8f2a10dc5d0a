import torch

from latent_anchors.colorspace._channels import apart, constant, together, turned


def test_what_is_put_together_again_is_what_was_taken_apart(generator):
    colors, again = torch.rand(2, 7, 3, generator=generator)
    together(apart(colors), again)
    assert torch.equal(again, colors)


def test_channels_apart_are_a_copy():
    colors = torch.zeros(2, 3)
    apart(colors).fill_(1.0)
    assert not colors.any()


def test_a_constant_has_the_precision_of_what_it_meets():
    thirds = constant([[1.0]], 1 / 3)
    assert thirds.to(torch.zeros(1).double()).item() == 1 / 3
    assert thirds.to(torch.zeros(1)).dtype is torch.float32


def test_a_matrix_turned_twice_is_itself():
    rows = [[1.0, 2.0], [3.0, 4.0]]
    assert turned(rows) == [[1.0, 3.0], [2.0, 4.0]]
    assert turned(turned(rows)) == rows

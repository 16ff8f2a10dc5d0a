"""The forward divergence of logits."""

import torch
from refusals import refuses

from latent_anchors.training import forward_kl


def test_it_is_zero_where_logits_differ_by_a_constant_and_else_what_the_sum_says(generator):
    p, q = torch.randn(2, 7, 3, 5, generator=generator)
    assert forward_kl(p + 3.0, p).max() < 1e-6
    chances, said = torch.softmax(p, -1), torch.log_softmax(q, -1)
    naive = [
        sum(c * (c.log() - s) for c, s in zip(chances[n].flatten(), said[n].flatten(), strict=True))
        for n in range(7)
    ]
    torch.testing.assert_close(forward_kl(q, p), torch.stack(naive) / 3)


def test_half_precision_is_summed_in_full(generator):
    p, q = torch.randn(2, 7, 5, generator=generator)
    found = forward_kl(q.half(), p.half())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, forward_kl(q, p), rtol=1e-2, atol=1e-3)


def test_shapes_are_the_same():
    for student in (torch.zeros(2, 3), torch.zeros(1, 4), torch.zeros(4)):
        with refuses(ValueError, "The student's logits have shape"):
            forward_kl(student, torch.zeros(2, 4))


def test_what_the_teacher_never_says_adds_nothing_to_value_or_gradient():
    student = torch.zeros(1, 3, requires_grad=True)
    found = forward_kl(student, torch.tensor([[0.0, 0.0, -torch.inf]]))
    torch.testing.assert_close(found, torch.tensor([1.5]).log())
    found.sum().backward()
    torch.testing.assert_close(student.grad, torch.tensor([[-1 / 6, -1 / 6, 1 / 3]]))

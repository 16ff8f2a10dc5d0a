"""Models of lines of which it is known beforehand what they answer."""

import torch
from torch import nn


class Mixer(nn.Module):
    """Reads its answers off a table at the fourth token; at every other it says white.

    It would rather say ``=`` than any color.
    """

    def __init__(self, language, table):
        super().__init__()
        self.register_buffer("table", table)
        self.register_buffer("words", torch.eye(len(language.vocabulary)))
        self.register_buffer("shout", 2.0 * self.words[language.token("=")])
        self.white = language.token("white")

    def forward(self, tokens):
        answer = self.table[tokens[..., 0], tokens[..., 2]]
        white = torch.full_like(answer, self.white)
        said = torch.stack([white] * 3 + [answer] + [white] * (tokens.shape[-1] - 4), dim=-1)
        return self.words[said] + self.shout


def oracle(language, operation="+"):
    """Says the color nearest to the mixture: the right one of a closed pair."""
    n = len(language.colors)
    pairs = torch.cartesian_prod(torch.arange(n), torch.arange(n))
    distances = torch.cdist(language.mixtures(pairs, operation), language.colors)
    return Mixer(language, distances.argmin(1).reshape(n, n))


def constant(language, color):
    """Always says one color."""
    n = len(language.colors)
    return Mixer(language, torch.full((n, n), language.token(color)))

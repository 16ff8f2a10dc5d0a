"""The yardstick: the anchored recipe as a plain PyTorch loop for one seed, draws made up front."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from latent_anchors import colorspace

STEPS, BATCH = 1501, 64
KEYS = {
    "lr": [(0, 1e-8), (10, 0.01), (750, 0.1), (1425, 0.1), (1500, 0.05)],
    "separate": [(750, 0.01), (1425, 0.0)],
    "anchor": [(0, 0.01), (750, 0.1), (1425, 0.0)],
    "subspace": [(0, 0.01), (375, 0.1), (1125, 0.1), (1425, 0.0)],
}


def at(keys: list[tuple[int, float]], step: int) -> float:
    if step <= keys[0][0]:
        return keys[0][1]
    for (t0, y0), (t1, y1) in pairwise(keys):
        if step <= t1:
            u = (step - t0) / (t1 - t0)
            return y0 + (y1 - y0) * u**3 * (10 + u * (6 * u - 15))
    return keys[-1][1]


def train(seed: int, steps: int = STEPS) -> nn.Module:
    torch.manual_seed(seed)
    grid = colorspace.rgb_grid(8)
    red = 0.08 * colorspace.hue_degree(grid, 0.0) ** 8
    vibrant = 0.01 * colorspace.vibrancy(grid) ** 10
    encoder = nn.Sequential(nn.Linear(3, 16), nn.GELU(), nn.Linear(16, 4))
    decoder = nn.Sequential(nn.Linear(4, 16), nn.GELU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], fused=True)
    rows = torch.randint(len(grid), (steps, BATCH))
    reds = (torch.rand(steps, BATCH) < red[rows]).float()
    vibrants = (torch.rand(steps, BATCH) < vibrant[rows]).float()
    others = 1 - torch.eye(BATCH)
    table = [{name: at(keys, step) for name, keys in KEYS.items()} for step in range(steps)]
    for step, weight in enumerate(table):
        x = grid[rows[step]]
        z = F.normalize(encoder(x), dim=-1)
        loss = F.mse_loss(decoder(z), x)
        loss = loss + weight["separate"] * (((z @ z.mT + 1) / 2) ** 100 * others).sum(1).mean()
        label = reds[step]
        anchor = (label * (1 - z[:, 0])).sum() / label.sum().clamp_min(1)
        label = vibrants[step]
        plane = (label * z[:, 2:].square().sum(-1)).sum() / label.sum().clamp_min(1)
        loss = loss + weight["anchor"] * anchor + weight["subspace"] * plane
        optimizer.param_groups[0]["lr"] = weight["lr"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return nn.Sequential(encoder, decoder)

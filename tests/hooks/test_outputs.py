from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
from refusals import refuses
from torch import Tensor

from latent_anchors._hooks._outputs import latents_of, with_latents
from latent_anchors._sites import Site

Pair = namedtuple("Pair", ["first", "second"])
Z, NEW = torch.zeros(2, 3), torch.ones(2, 3)


@dataclass(frozen=True)
class Output:
    hidden: Tensor
    other: int = 7


@dataclass
class Dictionary(OrderedDict):
    """A dataclass that is a mapping as well, as large language models give."""

    hidden: Tensor

    def __post_init__(self):
        self["hidden"] = self.hidden


class Noted(dict):
    """A mapping with an attribute of its own."""

    note = None


class Tagged(tuple):
    """A tuple with an attribute of its own."""

    note = None


class Slim(tuple):
    """A tuple of another type, without attributes."""

    __slots__ = ()


class Plain:
    """An object without any structure that is declared."""

    def __init__(self, hidden):
        self.hidden, self.other = hidden, 7


def noted(made):
    made.note = "kept"
    return made


@pytest.mark.parametrize(
    ("output", "item"),
    [
        (Z, 0),
        ((Z, 7), 0),
        ([7, Z], 1),
        (Pair(7, Z), 1),
        ({"hidden": Z}, "hidden"),
        (OrderedDict(other=7, hidden=Z), "hidden"),
        (Output(Z), "hidden"),
        (Dictionary(Z), "hidden"),
        (noted(Noted(hidden=Z, other=7)), "hidden"),
        (UserDict(hidden=Z, other=7), "hidden"),
        (noted(Tagged((7, Z))), 1),
        (Slim((7, Z)), 1),
        (Plain(Z), "hidden"),
        (torch.max(torch.stack([Z, Z]), 0), 0),
        ((7, (Z, Z), Z), 2),
        ([[Z], Z], 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_latents_are_found_and_replaced_and_everything_else_stays(output, item):
    site, before = Site("layer", item=item), others(output)
    replaced = with_latents(output, site, NEW)
    assert torch.equal(latents_of(replaced, site), NEW)
    assert torch.equal(latents_of(output, site), Z)
    assert others(replaced) == others(output) == before
    assert type(replaced) is type(output)
    assert getattr(replaced, "note", None) == getattr(output, "note", None)


def others(output):
    """What is in an output besides the latents, by identity where it cannot be compared."""
    held = output if isinstance(output, Mapping) else vars(output) if has_dict(output) else {}
    parts = output if isinstance(output, list | tuple) else held.values()
    return [id(part) if isinstance(part, list | tuple) else part for part in parts if not_a(part)]


def has_dict(output):
    return hasattr(output, "__dict__")


def not_a(part, kind=Tensor):
    return not isinstance(part, kind)


@pytest.mark.parametrize("output", [Output(Z), Dictionary(Z)], ids=["plain", "mapping"])
def test_records_keep_their_kind(output):
    replaced = with_latents(output, Site("layer", item="hidden"), NEW)
    assert type(replaced) is type(output)
    assert torch.equal(replaced.hidden, NEW)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_channels_come_last_and_go_back(axis, generator):
    output, site = torch.rand(2, 3, 4, generator=generator), Site("layer", axis=axis)
    z = latents_of(output, site)
    assert z.shape[-1] == output.shape[axis]
    assert torch.equal(with_latents(output, site, z), output)


@pytest.mark.parametrize(
    ("output", "item", "known"),
    [
        ((Z,), 1, "0"),
        ((Z,), "hidden", "0"),
        ({"hidden": Z}, 0, "'hidden'"),
        (Output(Z), "latent", "'hidden', 'other'"),
        (None, 0, "nothing"),
    ],
)
def test_parts_that_do_not_exist_are_refused_with_those_that_do(output, item, known):
    with refuses(TypeError, f"has no item {item!r}; expected one of {known}. Name the part"):
        latents_of(output, Site("layer", item=item))


def test_parts_that_are_no_latents_are_refused():
    with refuses(TypeError, "gave int as its item 1; expected a tensor"):
        latents_of((Z, 7), Site("layer", item=1))
    with refuses(TypeError, "are of type torch.int64; expected floating point"):
        latents_of(Z.long(), Site("layer"))


def test_an_axis_that_is_not_there_is_refused():
    with refuses(ValueError, r"channels at axis 2, and its layer gave shape \(2, 3\)"):
        latents_of(Z, Site("layer", axis=2))

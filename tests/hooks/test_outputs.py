from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
from refusals import refuses
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from latent_anchors._hooks._outputs import keys_in, latents_of, parameters_of, with_latents
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


class ModelOutput(OrderedDict):
    """What transformers' models give, whose fields have positions, too."""

    def to_tuple(self):
        return tuple(self.values())


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
        ((7, (Z, 8)), (1, 0)),
        ((7, {"hidden": [Z]}), (1, "hidden", 0)),
        (Pair(7, Z), "second"),
        (Plain((7, Z)), ("hidden", 1)),
        (ModelOutput(loss=7, hidden=Z), 1),
        (ModelOutput(loss=7, hidden=(Z,)), ("hidden", 0)),
        ((pack_sequence([Z, Z]), 7), (0, "data")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_latents_are_found_and_replaced_and_everything_else_stays(output, item):
    site, before = Site("layer", item=item), others(output)
    z = latents_of(output, site).clone()
    new = z + 1
    replaced = with_latents(output, site, new)
    assert torch.equal(latents_of(replaced, site), new)
    assert torch.equal(latents_of(output, site), z)
    assert others(replaced) == others(output) == before
    assert type(replaced) is type(output)
    assert getattr(replaced, "note", None) == getattr(output, "note", None)


def others(output):
    """What is in an output besides tensors."""
    held = output if isinstance(output, Mapping) else vars(output) if has_dict(output) else {}
    parts = output if isinstance(output, list | tuple) else held.values()
    kinds = list | tuple | Mapping
    return [others(part) if isinstance(part, kinds) else part for part in parts if not_a(part)]


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
        (Z, 1, "nothing"),
        (Z, "hidden", "nothing"),
        (ModelOutput(hidden=Z), 1, "'hidden'"),
        (({"hidden": Z},), (0, "latent"), "'hidden'"),
    ],
)
def test_parts_that_do_not_exist_are_refused_with_those_that_do(output, item, known):
    missing = repr(item[-1] if isinstance(item, tuple) else item)
    with refuses(TypeError, f"has no item {missing}; expected one of {known}. Name the part"):
        latents_of(output, Site("layer", item=item))


def test_parts_that_are_no_latents_are_refused():
    with refuses(TypeError, "gave int as its item 1; expected a tensor"):
        latents_of((Z, 7), Site("layer", item=1))
    with refuses(TypeError, "are of type torch.int64; expected floating point"):
        latents_of(Z.long(), Site("layer"))


def test_a_tuple_within_a_tuple_is_refused_with_what_it_holds():
    with refuses(TypeError, "gave tuple, which holds 0, 1 as its item 1; expected.*nested parts"):
        latents_of((Z, (Z, Z)), Site("lstm", item=1))


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
def test_nested_tensors_are_refused_by_name():
    with refuses(TypeError, "'layer' gave a nested tensor.*enable_nested_tensor=False"):
        latents_of(torch.nested.nested_tensor([Z, Z[:1]]), Site("layer"))


class Layer(nn.Module):
    def forward(self, hidden, mask=None, *rest, cache=None):
        return hidden, mask, rest, cache


ARGUMENTS = {
    "position": (((Z, 7), {}), 0, (0, 0)),
    "name": (((), {"hidden": Z, "mask": 7}), "hidden", (1, "hidden")),
    "position, passed by name": (((), {"hidden": Z}), 0, (1, "hidden")),
    "name, passed by position": (((Z,), {}), "hidden", (0, 0)),
    "keyword only": (((7,), {"cache": Z}), "cache", (1, "cache")),
    "one of the rest": (((7, 8, Z), {}), 2, (0, 2)),
    "nested": (((7,), {"mask": (8, Z)}), ("mask", 1), (1, "mask", 1)),
}


@pytest.mark.parametrize(("arguments", "item", "expected"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_is_found_however_it_is_passed(arguments, item, expected):
    site = Site("layer", item=item, side="input")
    keys = keys_in(arguments, site, parameters_of(Layer().forward))
    assert keys == expected
    replaced = with_latents(arguments, site, NEW, keys)
    assert latents_of(replaced, site, keys) is NEW
    assert latents_of(arguments, site, keys) is Z


@pytest.mark.parametrize("item", [1, "mask", -1, "nowhere", 5])
def test_arguments_that_were_not_given_are_refused_with_those_that_were(item):
    site = Site("layer", item=item, side="input")
    with refuses(TypeError, f"was given no argument {item!r}; expected one of 0, 'cache'. Name"):
        keys_in(((Z,), {"cache": 7}), site, parameters_of(Layer().forward))


def test_an_axis_that_is_not_there_is_refused():
    with refuses(ValueError, r"channels at axis 2, and its layer gave shape \(2, 3\)"):
        latents_of(Z, Site("layer", axis=2))

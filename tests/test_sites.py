from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from refusals import refuses
from torch import Tensor, nn

from latent_anchors._sites import Site, as_site, latents_of, resolve, unwrapped, with_latents

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


class Around(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


@pytest.fixture
def model():
    return nn.ModuleDict({"encoder": nn.Linear(3, 2), "latent": nn.Identity()})


def test_a_name_is_a_site_with_channels_last():
    assert as_site("latent") == Site("latent") == Site("latent", axis=-1, item=0)
    assert as_site(Site("latent", 1)) == Site("latent", axis=1)


@pytest.mark.parametrize("layers_of_wrapping", [0, 1, 2])
def test_wrappers_do_not_change_names(layers_of_wrapping, model):
    wrapped = model
    for _ in range(layers_of_wrapping):
        wrapped = Around(wrapped)
    assert resolve(wrapped, Site("latent")) is model["latent"]
    assert len(list(unwrapped(wrapped))) == layers_of_wrapping + 1


def test_full_names_work_too(model):
    assert resolve(Around(model), Site("module.latent")) is model["latent"]


def test_a_model_that_is_all_latents_is_its_own_site(model):
    assert resolve(model["latent"], Site("")) is model["latent"]


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
    ],
    ids=lambda value: type(value).__name__,
)
def test_latents_are_found_and_replaced_and_everything_else_stays(output, item):
    site = Site("layer", item=item)
    replaced = with_latents(output, site, NEW)
    assert torch.equal(latents_of(replaced, site), NEW)
    assert torch.equal(latents_of(output, site), Z)
    assert others(replaced) == others(output)


def others(output):
    """What is in an output besides tensors."""
    values = (
        output.values() if isinstance(output, dict) else getattr(output, "__dict__", {}).values()
    )
    parts = output if isinstance(output, list | tuple) else values
    return [part for part in parts if not isinstance(part, Tensor)]


@pytest.mark.parametrize("output", [(Z, 7), [Z], Pair(Z, 7)], ids=["tuple", "list", "named"])
def test_sequences_keep_their_kind(output):
    assert type(with_latents(output, Site("layer"), NEW)) is type(output)


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


def test_unknown_names_are_refused_with_the_known_ones(model):
    with refuses(ValueError, "Unknown site 'latnet'; expected one of 'encoder', 'latent'. Did you"):
        resolve(Around(model), Site("latnet"))


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


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch's own compiler
def test_a_compiled_model_is_refused_before_it_ever_runs(model):
    with refuses(RuntimeError, "compiled already, so that nothing attached at 'latent' would run"):
        resolve(torch.compile(model), Site("latent"))

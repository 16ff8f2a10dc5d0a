"""Every public class is saved and loads alike, or stands in a list that says why not."""

import inspect

import pytest
import torch
from refusals import refuses
from store.alike import differences
from store.things import things
from test_public_api import public, thing

import latent_anchors as la
from latent_anchors._store._folder import STRUCTURE, TENSORS
from latent_anchors._store._registry import NEVER_SAVED

THINGS = things()
EXAMPLES = [(name, index) for name, examples in THINGS.items() for index in range(len(examples))]


def classes() -> set[str]:
    """Public classes that there can be things of, pictures apart."""
    every = {name.removeprefix("latent_anchors."): thing(name) for name in public()}
    return {
        name
        for name, found in every.items()
        if inspect.isclass(found)
        and "." in name
        and not name.startswith("viz.")
        and not inspect.isabstract(found)
        and not getattr(found, "_is_protocol", False)
        and found.__module__.startswith("latent_anchors")
    }


def test_every_public_class_has_an_example_or_a_reason():
    assert classes() == {*THINGS} | {*NEVER_SAVED}
    assert not {*THINGS} & {*NEVER_SAVED}


@pytest.mark.parametrize(("name", "index"), EXAMPLES)
def test_it_loads_alike_and_is_saved_again_as_the_same_bytes(name: str, index: int, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    original, before = THINGS[name][index], torch.get_rng_state()
    la.save(original, one)
    again = la.load(one)
    assert list(differences(original, again)) == []
    assert torch.equal(before, torch.get_rng_state())
    la.save(again, two)
    for file in (STRUCTURE, TENSORS):
        assert (one / file).read_bytes() == (two / file).read_bytes()


@pytest.mark.parametrize("name", NEVER_SAVED)
def test_what_is_never_saved_says_why(name: str, tmp_path):
    made = object.__new__(thing(f"latent_anchors.{name}"))
    with refuses(TypeError, rf"is {name}, which cannot be saved: .*"):
        la.save([made], tmp_path)

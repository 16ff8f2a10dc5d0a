import numpy as np
import pytest
from refusals import refuses, unchecked
from torch import nn
from wrapping import Around

from latent_anchors._sites import Site, as_site, as_sites, innermost, path, resolve, unwrapped


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


def test_what_wraps_nothing_but_a_model_is_a_wrapper_and_what_has_other_parts_is_none(model):
    assert innermost(model) is innermost(Around(model)) is innermost(Around(Around(model))) is model
    several = Around(Around(model))
    several.head = nn.Identity()
    assert innermost(several) is innermost(Around(several)) is several


def test_full_names_work_too(model):
    assert resolve(Around(model), Site("module.latent")) is model["latent"]


def test_a_model_that_is_all_latents_is_its_own_site(model):
    assert resolve(model["latent"], Site("")) is model["latent"]


def test_unknown_names_are_refused_with_the_known_ones(model):
    with refuses(ValueError, "Unknown site 'latnet'; expected one of 'encoder', 'latent'. Did you"):
        resolve(Around(model), Site("latnet"))


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "base_model.model.", "module._orig_mod."]
)
def test_names_with_the_prefix_of_a_wrapper_are_found_in_the_bare_model(prefix, model):
    assert resolve(model, Site(prefix + "latent")) is model["latent"]


class Adapted(nn.Module):
    """What PEFT makes of a model, as far as names go."""

    def __init__(self, model):
        super().__init__()
        self.base_model = nn.ModuleDict({"model": model})

    def get_base_model(self):
        return self.base_model["model"]


def test_names_of_a_model_are_found_in_an_adapted_one(model):
    adapted = Adapted(model)
    for name in ("latent", "base_model.model.latent"):
        assert resolve(adapted, Site(name)) is model["latent"]


def test_both_names_of_a_shared_layer_are_sites():
    shared = nn.Linear(1, 1)
    model = nn.ModuleDict({"left": shared, "right": shared})
    assert resolve(model, Site("left")) is resolve(model, Site("right")) is shared


def test_the_path_leads_from_the_model_through_wrappers_down_to_the_layer(model):
    around = Around(nn.Sequential(model))
    assert path(around, Site("0.latent")) == [around, around.module, model, model["latent"]]


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (Site("a"), "Site('a')"),
        (Site("a", axis=1, item=(1, 0)), "Site('a', axis=1, item=(1, 0))"),
        (Site("a", every=True, side="input"), "Site('a', every=True, side='input')"),
    ],
)
def test_a_site_says_what_differs_from_the_usual(site, said):
    assert repr(site) == said


def test_one_key_alone_is_spelled_without_a_tuple():
    assert Site("a", item=("hidden",)) == Site("a", item="hidden")
    assert Site("a", item=(1, "data")).keys == (1, "data")


def test_sides_and_items_that_do_not_exist_are_refused():
    with refuses(ValueError, "Unknown side of site 'a' 'inputs'.*Did you mean 'input'"):
        Site("a", side="inputs")
    with refuses(ValueError, r"item=\(\); expected at least one key"):
        Site("a", item=())
    for wrong in (1.5, True, (0, None), [1, 0]):
        with refuses(TypeError, "expected a position, a name, or a tuple"):
            Site("a", item=wrong)


def test_a_name_that_leads_to_no_module_is_no_site(model):
    with refuses(ValueError, "Unknown site 'encoder.weight'"):
        resolve(model, Site("encoder.weight"))


def test_a_forgotten_site_is_named_as_forgotten():
    with refuses(ValueError, "Unknown site 'latent'.*is the default.*at="):
        resolve(nn.Sequential(nn.Identity()), Site("latent"))


def test_a_large_model_is_not_listed_whole():
    model = nn.Sequential(*(nn.Sequential(nn.Identity()) for _ in range(200)))
    with refuses(ValueError, "^Unknown site '150.1'; expected one of 400, .{,60}'150.0'.{,80}$"):
        resolve(model, Site("150.1"))


@pytest.mark.parametrize("wrong", [nn.Sequential(nn.Identity()), 3, None, nn.Linear(1, 1)])
def test_what_is_no_site_is_refused(wrong):
    with refuses(TypeError, "The site is.*expected the name of a layer"):
        as_sites(wrong)


def test_one_site_or_several_are_a_list_as_they_were_spelled():
    assert as_sites("a") == ["a"]
    assert as_sites(Site("a")) == [Site("a")]
    assert as_sites(name for name in ("a", "b")) == ["a", "b"]


@pytest.mark.parametrize("axis", [1.0, True, "1"])
def test_an_axis_that_is_no_whole_number_is_refused(axis):
    with refuses(TypeError, "expected a whole number: -1 where"):
        Site("a", axis=axis)
    with unchecked():
        assert type(Site("a", axis=np.int64(1)).axis) is int

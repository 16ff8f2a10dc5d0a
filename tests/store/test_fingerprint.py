import torch
from torch import nn
from torch.nn.utils import parametrize

from latent_anchors import models
from latent_anchors._store._fingerprint import class_of, configuration_of, digest, model_of


class Configured(nn.Module):
    """A model with a configuration, as those of transformers have."""

    def __init__(self, **settings: object) -> None:
        super().__init__()
        self.config = self
        self.settings = {"hidden_size": 8, "dtype": "float32", **settings}

    def to_dict(self) -> dict[str, object]:
        return self.settings


def settings(**given: object) -> dict[str, str]:
    return configuration_of(Configured(**given))


def test_a_configuration_is_kept_setting_by_setting():
    text = {"rope": {"theta": 1e4}, "layers": ["full", "full"]}
    assert settings(text_config=text, tied=True, absent=None) == {
        "hidden_size": "8",
        "text_config.rope.theta": "10000.0",
        "text_config.layers": '["full", "full"]',
        "tied": "true",
    }


def test_what_differs_from_use_to_use_is_left_out():
    passing = {
        **{"_name_or_path": "here", "transformers_version": "5", "torch_dtype": torch.float16},
        **{"_attn_implementation": "sdpa", "pad_token_id": 3, "output_attentions": True},
        **{"resid_pdrop": 0.1, "use_cache": False},
    }
    assert settings(**passing, inner=passing) == settings()


def test_a_long_value_is_kept_as_a_hash():
    names = {number: f"class {number}" for number in range(1000)}
    (kept,) = {*settings(id2label=names).items()} - {*settings().items()}
    assert len(kept[1]) == 64
    assert settings(id2label={**names, 3: "dog"}) != settings(id2label=names)


def test_what_json_does_not_hold_is_kept_by_its_type():
    assert settings(what={1: object()}) == settings(what={1: object()})


def test_a_structure_stands_in_for_a_configuration():
    found = configuration_of(nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 2))))
    assert [text.partition(",")[0] for text in found.values()] == [
        "Linear of 16 parameters",
        "Sequential of 10 parameters",
    ]


def test_weights_of_its_own_are_in_it_by_their_shapes():
    assert configuration_of(nn.Linear(3, 4)) == {"(itself)": '{"weight": [4, 3], "bias": [4]}'}


def test_values_of_weights_are_not_in_it():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = configuration_of(model)
    model(torch.rand(5, 3)).sum().backward()
    assert configuration_of(model.half().requires_grad_(False)) == before


def test_the_model_is_found_in_what_wraps_it():
    model = nn.Sequential(nn.Linear(2, 2))
    assert model_of(nn.DataParallel(model)) is model
    runs = models.Population.make(lambda: nn.Sequential(nn.Linear(2, 2)), [1, 2])
    assert configuration_of(model_of(runs)) == configuration_of(model)


def test_the_class_is_the_one_that_its_author_named():
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", nn.Identity())
    assert type(layer).__name__ == "ParametrizedLinear"
    assert class_of(layer) == "Linear"
    assert class_of(type("FSDPNet", (nn.Linear,), {})(2, 2)) == "FSDPNet"


def test_a_digest_does_not_change():
    assert digest(["Net", {"width": "8"}]).startswith("1809e5bf")

import pytest
from refusals import refuses

from latent_anchors import models
from latent_anchors._store._size_check import SizeCheck
from latent_anchors._store._slots import set_modes

SIZES = {"channels": 3, "latent_dim": 4, "hidden": 16, "depth": 1}


def node(model: models.SphericalAutoencoder) -> dict:
    shapes = {name: {"shape": [*tensor.shape]} for name, tensor in model.state_dict().items()}
    return {"type": "models.SphericalAutoencoder", "state": {"mapping": [*shapes.items()]}}


def test_sizes_that_were_saved_pass():
    SizeCheck().check(models.SphericalAutoencoder, SIZES, node(models.SphericalAutoencoder()))


@pytest.mark.parametrize("size", SIZES)
def test_other_sizes_are_refused_at_once(size: str):
    saved = node(models.SphericalAutoencoder())
    with refuses(ValueError, r"its sizes make "):
        SizeCheck().check(models.SphericalAutoencoder, SIZES | {size: 10**10}, saved)


@pytest.mark.parametrize("make", [models.NormalizedTransformer, models.PrenormTransformer])
@pytest.mark.parametrize("size", ["vocabulary", "width", "depth", "hidden"])
def test_so_are_those_of_transformers(make: type, size: str):
    sizes = {"vocabulary": 4, "width": 8, "depth": 1, "heads": 2, "hidden": 8}
    with refuses(ValueError, r"its sizes make "):
        SizeCheck().check(make, sizes | {size: 8 * 10**6}, {**node(make(**sizes)), "type": "x"})


def test_a_mode_is_that_of_a_part():
    with refuses(ValueError, r"The parts in training mode are \['zzz'\]; expected some of \['', "):
        set_modes(models.SphericalAutoencoder(), ["zzz"])

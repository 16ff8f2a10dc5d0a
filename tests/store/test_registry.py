import pytest
from refusals import refuses

import latent_anchors as la
from latent_anchors._store._registry import class_named, function_named, known_name


@pytest.mark.parametrize(
    "name", ["curriculum.read_dopesheet", "models.Recording", "data.LabelDraw"]
)
def test_only_classes_that_are_saved_are_found(name: str):
    with refuses(ValueError, rf"'{name}' is no class that is saved"):
        class_named(name)
    with refuses(ValueError, rf"'{name}' is no function that is saved as a value"):
        function_named(name)


@pytest.mark.parametrize("name", ["os.system", "models._x", "models", "", 3, None, "viz.Motion"])
def test_what_is_not_public_or_a_picture_is_not_found(name: object):
    with refuses(ValueError, r"Unknown registered type .*Import the module that registers it"):
        class_named(name)


def test_public_things_have_a_name_wherever_they_are_defined():
    assert known_name(la.models.Site) == "models.Site"
    assert known_name(la.interventions.constant_falloff) == "interventions.constant_falloff"
    assert known_name(la.viz.Motion) is None
    assert known_name(dict) is None

"""The frameworks are optional: none is loaded before an adapter asks for it by name."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

from latent_anchors.adapters import FILES

FRAMEWORKS = (
    *("transformers", "lightning", "pytorch_lightning", "accelerate", "peft"),
    *("timm", "pandas", "datasets", "torchvision"),
)

PROGRAM = f"""
import json, sys

import latent_anchors as la

at_first = sorted(sys.modules)
assert la.Concept is la.concepts.Concept and {{*la.__all__}} <= {{*dir(la)}}
rooms = [getattr(la, name) for name in la.__all__ if name != "viz"]
without_viz = sorted(sys.modules)
la.viz
with_viz = sorted(sys.modules)


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FRAMEWORKS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")


sys.meta_path.insert(0, Missing())
said = {{}}
for name in la.adapters.__all__:
    try:
        getattr(la.adapters, name)
    except ImportError as error:
        said[name] = str(error)
print(json.dumps([at_first, without_viz, with_viz, said]))
"""


@cache
def said_by_the_program() -> Any:
    """Which modules are loaded at first, without ``viz`` and with it; and what the adapters say."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_framework_is_loaded_and_a_missing_one_is_named_with_its_extra():
    *_, loaded, said = said_by_the_program()
    assert sorted({*loaded} & {*FRAMEWORKS}) == []
    assert FILES.keys() - said.keys() <= {
        "LabelCollator",
        "RareLabelCollator",
    }  # need tensors alone
    for name in said:
        extra = FILES[name][1]
        assert f"adapters.{name} needs" in said[name]
        assert said[name].endswith(f"pip install latent-anchors[{extra}]")


def test_a_room_is_loaded_when_it_is_used():
    at_first = said_by_the_program()[0]
    rooms = [name.split(".")[1] for name in at_first if name.startswith("latent_anchors.")]
    assert rooms
    assert all(name.startswith("_") for name in rooms)


def test_no_matplotlib_is_loaded_until_viz_is_used():
    _, without_viz, with_viz, _ = said_by_the_program()
    assert "matplotlib" not in without_viz
    assert "matplotlib" in with_viz

"""The frameworks are optional: none is loaded before an adapter asks for it by name."""

import json
import subprocess
import sys

from latent_anchors.adapters import FILES

FRAMEWORKS = (
    *("transformers", "lightning", "pytorch_lightning", "accelerate", "peft"),
    *("timm", "pandas", "datasets", "torchvision"),
)

PROGRAM = f"""
import json, sys

import latent_anchors as la

rooms = [getattr(la, name) for name in la.__all__]
loaded = sorted({{*sys.modules}} & {{*{FRAMEWORKS}}})


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
print(json.dumps([loaded, said]))
"""


def test_no_framework_is_loaded_and_a_missing_one_is_named_with_its_extra():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    loaded, said = json.loads(done.stdout or "[]") or [done.stderr, {}]
    assert loaded == []
    assert FILES.keys() - said.keys() <= {
        "LabelCollator",
        "RareLabelCollator",
    }  # need tensors alone
    for name in said:
        extra = FILES[name][1]
        assert f"adapters.{name} needs" in said[name]
        assert said[name].endswith(f"pip install latent-anchors[{extra}]")


LAZY = """
import sys
import latent_anchors as la
print(*sorted(name for name in sys.modules if name.startswith("latent_anchors.")))
assert la.Concept is la.concepts.Concept and {*la.__all__} <= {*dir(la)}
"""


def test_a_room_is_loaded_when_it_is_used():
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rooms = [name.split(".")[1] for name in done.stdout.split()]
    assert rooms
    assert all(name.startswith("_") for name in rooms)

"""What a model is apart from its weights: the name of its class, and its configuration.

Models of transformers have a configuration; of others, the structure stands in for it: for each
part, its class, how much is in it, and a hash of the names and shapes of its parameters.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from torch import nn

from latent_anchors._runs import one_run
from latent_anchors._sites import layers_of, unwrapped

Configuration: TypeAlias = dict[str, str]
"""The names of settings, dotted where nested, to values as JSON; or of parts, to what they are."""

VOLATILE = {
    *("_name_or_path", "name_or_path", "transformers_version", "_commit_hash", "architectures"),
    *("dtype", "torch_dtype", "attn_implementation", "use_cache", "gradient_checkpointing"),
    *("return_dict", "problem_type", "label2id"),  # id2label says the same
}
"""Settings that differ from one use of a model to the next, and not where its concepts lie."""

PASSING = ("_implementation", "_token_id", "output_", "drop")
"""Parts of the names of more such settings: what computes it, pads, is returned, is left out."""

DERIVED = ("FSDP", "Parametrized")
"""What torch puts in front of the name of a class from which it derives another one."""

LONG = 80
"""Up to this many characters, a value is kept; of a longer one, a hash."""


def model_of(model: nn.Module) -> nn.Module:
    """The model without what wraps it; of a population, one run."""
    return one_run([*unwrapped(model)][-1])


def class_of(model: nn.Module) -> str:
    """The name of a model's class. That of its module is left out: in a script it is another."""
    names = [made.__name__ for made in type(model).__mro__]
    own = (names[0].removeprefix(start) for start in DERIVED if names[0].startswith(start))
    return next((name for name in own if name in names), names[0])


def configuration_of(model: nn.Module) -> Configuration:
    """The settings of a model, or of each of its parts the structure."""
    to_dict = getattr(getattr(model, "config", None), "to_dict", None)
    if callable(to_dict):
        return dict(_settings(cast("Mapping[object, object]", to_dict())))
    own = {name: [*each.shape] for name, each in model.named_parameters(recurse=False)}
    parts = {name: _structure(part) for name, part in model.named_children()}
    return {"(itself)": json.dumps(own), **parts} if own else parts


def digest(value: object) -> str:
    """A hash of what JSON can hold, the same on every machine."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _settings(values: Mapping[object, object], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in ((str(key), value) for key, value in values.items()):
        if value is None or name in VOLATILE or any(part in name for part in PASSING):
            continue  # later versions have more settings, which are None
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in cast("Any", value)):
            yield from _settings(cast("Mapping[object, object]", value), f"{above}{name}.")
        else:
            text = json.dumps(value, default=lambda other: type(other).__name__)
            yield f"{above}{name}", text if len(text) <= LONG else digest(text)


def _structure(part: nn.Module) -> str:
    layers = [[name, class_of(layer)] for name, layer in layers_of(part).items()]
    shapes = [[name, [*each.shape]] for name, each in part.named_parameters()]
    numbers = sum(each.numel() for each in part.parameters())
    return f"{class_of(part)} of {numbers:,} parameters, {digest([layers, shapes])[:12]}"

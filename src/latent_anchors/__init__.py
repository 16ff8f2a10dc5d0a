"""Choose where a neural network keeps a concept, before training; then measure it, or mute it.

The data flow::

    timeline(step) ─────────────── a row of weights ───────────────┐
    batch ─▶ model ─▶ output ─────── loss ──────────────┐          ▼
               └─▶ record(model) ─▶ latents ─▶ Term ... └─▶ Objective ─▶ total.backward()

    with intervene(model, edit): what if the concept were not there?

An :class:`Objective` weighs :class:`Term` after :class:`Term`, each a penalty on the latents at a
site; :func:`fit` saves the typing and trains many seeds at once; :func:`record` reads a site and
:func:`intervene` edits it, for the length of a block. The rooms, from the ground up:
``transitions``, ``curriculum``, ``colorspace``, ``regularizers``, ``models``, ``interventions``,
``data``, ``training``, ``evaluation``, ``audits``, ``baselines``, ``concepts``, ``testbed``,
``adapters`` and ``viz``. Each is loaded on first use.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from latent_anchors._checks import unknown
from latent_anchors._store import Provenance, load, provenance, register, save

if TYPE_CHECKING:
    from latent_anchors import adapters as adapters
    from latent_anchors import audits as audits
    from latent_anchors import baselines as baselines
    from latent_anchors import colorspace as colorspace
    from latent_anchors import concepts as concepts
    from latent_anchors import curriculum as curriculum
    from latent_anchors import data as data
    from latent_anchors import evaluation as evaluation
    from latent_anchors import interventions as interventions
    from latent_anchors import models as models
    from latent_anchors import regularizers as regularizers
    from latent_anchors import testbed as testbed
    from latent_anchors import training as training
    from latent_anchors import transitions as transitions
    from latent_anchors import viz as viz
    from latent_anchors.concepts import Concept, ConceptBank, axis
    from latent_anchors.interventions import intervene
    from latent_anchors.models import Site, record, sites
    from latent_anchors.regularizers import Term
    from latent_anchors.training import Objective, fit

__version__ = version("latent-anchors")

__all__ = [
    "Concept",
    "ConceptBank",
    "Objective",
    "Provenance",
    "Site",
    "Term",
    "__version__",
    "adapters",
    "audits",
    "axis",
    "baselines",
    "colorspace",
    "concepts",
    "curriculum",
    "data",
    "evaluation",
    "fit",
    "intervene",
    "interventions",
    "load",
    "models",
    "provenance",
    "record",
    "register",
    "regularizers",
    "save",
    "sites",
    "testbed",
    "training",
    "transitions",
    "viz",
]


_ROOMS = {
    "Concept": "concepts",
    "ConceptBank": "concepts",
    "Objective": "training",
    "Site": "models",
    "Term": "regularizers",
    "axis": "concepts",
    "fit": "training",
    "intervene": "interventions",
    "record": "models",
    "sites": "models",
}
"""Where the names come from that are not rooms themselves."""


def __getattr__(name: str) -> object:
    """Rooms, and names that come from one, are loaded on first use."""
    if name in _ROOMS:
        found = getattr(import_module(f"latent_anchors.{_ROOMS[name]}"), name)
    elif name in __all__:
        found = import_module(f"latent_anchors.{name}")
    else:
        raise AttributeError(
            unknown("name in latent_anchors", name, __all__) + " Or look in its rooms."
        )
    return globals().setdefault(name, found)


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return [*globals(), *__all__]

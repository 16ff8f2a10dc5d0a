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
``data``, ``training``, ``evaluation``, ``audits``, ``baselines``, ``concepts``, ``testbed`` and,
loaded on first use, ``adapters`` and ``viz``.
"""

from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING

from latent_anchors import (
    audits,
    baselines,
    colorspace,
    concepts,
    curriculum,
    data,
    evaluation,
    interventions,
    models,
    regularizers,
    testbed,
    training,
    transitions,
)
from latent_anchors._checks import unknown
from latent_anchors._store import Provenance, load, provenance, register, save
from latent_anchors.concepts import Concept, ConceptBank, axis
from latent_anchors.interventions import intervene
from latent_anchors.models import Site, record, sites
from latent_anchors.regularizers import Term
from latent_anchors.training import Objective, fit

if TYPE_CHECKING:
    from latent_anchors import adapters as adapters
    from latent_anchors import viz as viz

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


def __getattr__(name: str) -> ModuleType:
    """Rooms that load other packages, on first use: training alone needs no matplotlib."""
    if name in ("adapters", "viz"):
        return import_module(f"latent_anchors.{name}")
    raise AttributeError(
        unknown("name in latent_anchors", name, __all__) + " Or look in its rooms."
    )

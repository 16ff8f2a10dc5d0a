"""Names belong to the rooms that they are imported from, not to the private files behind."""

import importlib
import sys
from pkgutil import iter_modules

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

import latent_anchors

ROOMS = [
    f"latent_anchors.{found.name}"
    for found in iter_modules(latent_anchors.__path__)
    if not found.name.startswith("_")
]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("missing-reference", public)
    app.connect("autodoc-process-docstring", add_caption)
    return {"parallel_read_safe": True}


def public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.reference | None:
    """The page of a name that a signature or a docstring mentions."""
    name = node.get("reftarget", "").rpartition(".")[2]
    python = env.domains.python_domain
    for room in ("latent_anchors", *ROOMS):
        place = f"{room}.{name}"
        if place in python.objects and name in importlib.import_module(room).__all__:
            here = node["refdoc"]
            return python.resolve_xref(env, here, app.builder, "obj", place, node, shown)
    return None


def add_caption(
    app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]
) -> None:
    """What stands below a constant or an alias in its private file."""
    del app, found, options
    room, _, attribute = name.rpartition(".")
    if what != "data" or room not in ROOMS:
        return
    for file in [each for each in sys.modules if each.startswith(f"{room}._")]:
        words = ModuleAnalyzer.for_module(file).find_attr_docs().get(("", attribute))
        if words:
            lines[:] = words

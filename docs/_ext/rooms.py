"""Names are linked to the rooms that they are imported from, not to the private files behind."""

import importlib
from pkgutil import iter_modules

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import latent_anchors


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("missing-reference", public)
    return {"parallel_read_safe": True}


def public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.reference | None:
    """The page of a name that a signature or a docstring mentions."""
    name = node.get("reftarget", "").rpartition(".")[2]
    known = env.domains.python_domain.objects
    for room in ("latent_anchors", *ROOMS):
        if f"{room}.{name}" in known and name in importlib.import_module(room).__all__:
            return env.domains.python_domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", f"{room}.{name}", node, shown
            )
    return None


ROOMS = [
    f"latent_anchors.{found.name}"
    for found in iter_modules(latent_anchors.__path__)
    if not found.name.startswith("_")
]

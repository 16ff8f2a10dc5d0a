"""The site, built with warnings as errors and without a network."""

from importlib import metadata

project = "latent-anchors"
author = "The latent-anchors authors"
copyright = f"2026, {author}"  # noqa: A001 -- Sphinx's own name for it
release = metadata.version("latent-anchors")
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
exclude_patterns = ["_build"]
html_theme = "alabaster"

"""The site: built with warnings as errors, and complete without a network."""

import sys
from importlib import metadata, util
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE)]

project = "latent-anchors"
author = "The latent-anchors authors"
copyright = f"2026, {author}"  # noqa: A001 -- Sphinx's own name for it
release = metadata.version("latent-anchors")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "rooms",
    "outcomes_shown",
]
exclude_patterns = ["_build", "_templates", "guides/GALLERY_HEADER.rst", "**sg_execution_times*"]
templates_path = ["_templates"]

# public names of ours must resolve; private ones, torch's and the standard library's have no pages
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!latent_anchors\.).*|.*\._.*")]

autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "extra_repr"}
autosummary_imported_members = True  # rooms re-export the names of their private files
autosummary_ignore_module_all = False
napoleon_use_ivar = True
toc_object_entries_show_parents = "hide"

# one file that needs no fonts and no network, carried by a package
mathjax = Path(str(util.find_spec("sphinx-mathjax-offline").origin)).parent
mathjax_path = "tex-svg.js"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": ["../examples", "guides"],
    "gallery_dirs": ["gallery", "guide"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "gallery.Order",
    "reset_argv": "gallery.arguments",
    "reference_url": {"latent_anchors": None},
    "doc_module": ("latent_anchors",),
    "backreferences_dir": None,
    "image_scrapers": ("gallery.figures",),
    "reset_modules": ("matplotlib", "gallery.same_chances"),
    "capture_repr": (),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
    "abort_on_example_error": True,
    "parallel": True,  # as many at once as sphinx-build has with -j
}

html_theme = "furo"
html_title = project
html_static_path = ["_static", str(mathjax / "static" / "mathjax" / mathjax_path)]
html_css_files = ["site.css"]
# the page of a dark figure
html_theme_options = {"dark_css_variables": {"color-background-primary": "#0d1117"}}
html_show_sourcelink = False
html_copy_source = False

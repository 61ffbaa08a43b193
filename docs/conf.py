"""Configuration of the documentation site: ``sphinx-build -W --keep-going -n docs docs/_build/html``.

It needs the packages of the group ``docs`` in pyproject.toml, and no network. The page that colors in the browser needs
ONNX Runtime Web, too: ``npm install --prefix examples``; without it, it is built and says so.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""  # some examples train, for a second

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import labcolor

project = "labcolor"
author = "the labcolor developers"
copyright = author  # noqa: A001 - Sphinx's name for it
version = release = labcolor.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "matplotlib.sphinxext.plot_directive",
    "labcolor_docs",
    "try_page",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "figures", "gallery/*.ipynb", "gallery/*.py", "gallery/*.json"]
nitpicky = True

# Pages are Markdown. They stay readable on a code host; `labcolor_docs` resolves links to files outside of docs/.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings tell the types, with shapes, ranges and units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template of a class lists its members
numpydoc_use_plots = False

sphinx_gallery_conf = {
    "examples_dirs": ["../examples/gallery"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "capture_repr": (),
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 5,
    "doc_module": ("labcolor",),
    "backreferences_dir": "gallery/backreferences",
    "remove_config_comments": True,
    "write_computation_times": False,
    "thumbnail_size": (600, 420),
}
plot_formats = [("svg", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = False
plot_basedir = "figures"
plot_rcparams = {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "figure.autolayout": True}

copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = f"labcolor {release}"
html_logo = html_favicon = "../labcolor/demo/assets/icon.svg"
html_static_path = ["_static"]
html_css_files = ["labcolor.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": html_title},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "show_prev_next": False,
}
html_sidebars = {"index": [], "tutorial": [], "browser": []}

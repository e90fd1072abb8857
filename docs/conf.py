"""How Sphinx builds these pages: `make docs`. Nothing is fetched, and a page that needs the network is an error."""

import tomllib
from pathlib import Path

TOP = Path(__file__).parents[1]

project = "v2hrig"
author = "the v2hrig project"
release = version = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
extensions = ["myst_parser"]
exclude_patterns = ["generate", "examples"]
nitpicky = True
suppress_warnings = ["myst.header"]  # a docstring's heading may stand two levels below the one before

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
myst_all_links_external = False
highlight_language = "text"

html_theme = "furo"
html_title = f"v2hrig {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
templates_path: list[str] = []

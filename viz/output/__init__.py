"""Output: a finished scene as SVG, as DOT, in a file, in a notebook, on a page."""

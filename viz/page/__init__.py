"""The page of a study: one HTML file with the network, its numbers, and a way to play with both.

`numbers` collects what `rnn.bptt` finds, `live` adds a program that computes it again in the page,
`pictures` and `lesson` what is looked at and read. The page is a template, a style and one script.
"""

from viz.page.page import PARTS, html, write

__all__ = ["PARTS", "html", "write"]

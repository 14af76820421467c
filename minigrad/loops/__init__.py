"""Loops in a trace: found, cut out, certified, and rolled into scans.

In the order of what happens: `tags` (which operations belong together), `steps` (steps laid over
each other), `find` (runs of like steps are loops), `order` (what runs before what), `cut` (a loop
taken out of the graph), `embedded` (the graph around it, and the certificate), `embed` (all of
this), `rolled` (each loop as one scan).
"""

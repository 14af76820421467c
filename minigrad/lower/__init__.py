"""From a folded graph to a schedule; nothing here belongs to an engine.

`pipeline` is the whole way, `passes` the table of what is done on it: `regroup` (sums and products
grouped anew), `gates` (what gates share, done once) and `scale` (numbers moved into weights), all
on `rewrite`, a step under change, and `nodes`, what is known of its nodes. `schedule` puts what is
left in order.
"""

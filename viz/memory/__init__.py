"""Block diagrams: memory cells, recognised by what they do, round a straight line."""

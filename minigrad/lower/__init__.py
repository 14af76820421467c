"""From a folded graph to what an engine runs."""

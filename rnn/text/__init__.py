"""Texts by character: read, learnt, predicted, and written by the network itself."""

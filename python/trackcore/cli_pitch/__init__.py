"""The verbs of `trackcore pitch`."""

"""Builds: from a recipe to an image, in a process of its own, with a log that is kept."""

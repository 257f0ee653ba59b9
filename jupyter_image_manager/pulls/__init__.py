"""Bringing images from their registry to the machine, by digest, once for all who wait (R12)."""

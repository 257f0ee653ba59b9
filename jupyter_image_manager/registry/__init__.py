"""Registries: where images come from."""

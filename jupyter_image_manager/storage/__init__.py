"""Where images are kept: optimized copies, originals in registries, and what nobody needs any more."""

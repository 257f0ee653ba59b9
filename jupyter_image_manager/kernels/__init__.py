"""Kernels in images: where a kernel belongs, how its container is made, lives and ends."""

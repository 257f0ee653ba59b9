"""What demo and tests need of a machine: an engine, system packages, base images."""

from ..builds.conftest import Builder, builder

__all__ = ["Builder", "builder"]

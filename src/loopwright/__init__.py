"""Loopwright: the whole MLOps loop of an AI workload from one spec file.

This package's command line, `loopwright`, is its public interface; see docs/reference/cli.md.
"""

__all__ = ["__version__"]

__version__ = "0.3.0"

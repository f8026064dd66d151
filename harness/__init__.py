"""Measures Python web frameworks and servers on equal work, and says how sure it is."""

__version__ = "0.1.0"

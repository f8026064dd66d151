"""The I/O that apps do: ``blocking`` for WSGI apps, ``awaiting`` for ASGI apps and Tornado."""

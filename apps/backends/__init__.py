"""The I/O that apps do: ``blocking`` and ``sync_*`` for WSGI, ``awaiting`` and ``async_*`` for the rest.

The statements are the same, pools are of the same size, and what is down is refused with 503 by both. Importing opens
nothing: a pool or a session is opened in the process that first needs it, and opened again after what it leads to was
away.
"""

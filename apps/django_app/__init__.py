"""The contract in Django: ``wsgi`` serves sync views, ``asgi`` the same endpoints as async views."""

"""The floor under every framework: the first endpoints of the contract as raw WSGI and ASGI callables."""

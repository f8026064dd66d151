"""The endpoints that wait for nothing, in django-ninja: ``api`` has sync operations, ``api_async`` async ones.

It is written as django-ninja's documentation teaches: "Path parameters", "Query parameters" and "Request body"
(https://django-ninja.dev/guides/input/path-params/), "Response schema" (https://django-ninja.dev/guides/response/)
and "Handling errors" (https://django-ninja.dev/guides/errors/).
"""

"""The contract in Django: ``wsgi`` serves the sync views, ``asgi`` the same endpoints as async views.

It is written as Django's documentation teaches:

- "URL dispatcher" (https://docs.djangoproject.com/en/stable/topics/http/urls/): one list of paths per interface;
- "View decorators" (https://docs.djangoproject.com/en/stable/topics/http/decorators/): which methods a view answers;
- "Middleware" (https://docs.djangoproject.com/en/stable/topics/http/middleware/): ``process_exception``, and one class
  for both interfaces;
- "Customizing error views" (https://docs.djangoproject.com/en/stable/topics/http/views/#customizing-error-views);
- "Asynchronous support" (https://docs.djangoproject.com/en/stable/topics/async/): no sync middleware under ASGI;
- "How to deploy with WSGI" and "with ASGI" (https://docs.djangoproject.com/en/stable/howto/deployment/): the variable
  ``DJANGO_SETTINGS_MODULE`` chooses the settings, so that variants are settings modules;
- Pydantic, "Models" (https://docs.pydantic.dev/latest/concepts/models/), for validation;
- Channels, "Routing" (https://channels.readthedocs.io/en/stable/topics/routing.html), for WebSocket.
"""

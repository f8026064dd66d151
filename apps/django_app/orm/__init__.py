"""Products in Django's own ORM: a Django application."""

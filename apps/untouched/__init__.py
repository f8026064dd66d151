"""The smallest app of each framework, with nothing added: what it does by itself is what the framework brings.

Each looks up an item by its number and totals an order, as the framework's own first pages teach it, and handles no
error. ``first_steps/main.py`` is the app of the
introduction to FastAPI whose claims the report judges, byte for byte.
"""

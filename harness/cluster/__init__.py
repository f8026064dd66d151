"""Locust: journeys of users, and load from several machines."""

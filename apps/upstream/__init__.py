"""The service with a set delay that apps call; not one of the apps that are compared."""

"""From what a user chose to the manifest of a run to come; whatever the user got wrong is found here."""

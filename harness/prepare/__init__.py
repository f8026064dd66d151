"""From the user's choices to the manifest of a new run; the user's mistakes are reported here."""

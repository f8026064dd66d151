"""What each section of the report shows, as plain values that the templates lay out."""

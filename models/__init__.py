"""Text, places, models and the one triage pipeline. Knows neither HTTP nor SQL."""

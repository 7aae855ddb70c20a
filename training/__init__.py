"""Training of bundles. Never imported by the running service."""

"""The HTTP service, its store and pages, and the command line. Holds no rule of triage."""

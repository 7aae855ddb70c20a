"""Metrics, calibration, thresholds and reports. Trains nothing."""

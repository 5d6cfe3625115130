"""Synthetic Bundles of synthetic patients, the same for the same seed."""

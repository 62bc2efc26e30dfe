"""Protocols that run a method and return a report."""

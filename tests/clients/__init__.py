"""Clients of exported files that others wrote, each behind the same `opened(path)`."""

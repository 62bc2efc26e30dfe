"""Losses, and how several become one."""

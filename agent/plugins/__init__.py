"""Plugins: found, loaded, called, and held to what they may do."""

"""The glasses themselves: ports in `base`, devices beside it, lenses as data in `profiles/`."""

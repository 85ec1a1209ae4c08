"""A Wyoming server as an engine, and the frames of that protocol, which both sides read alike."""

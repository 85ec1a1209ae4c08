"""How the pocket model is taught; nothing of it is used at run time."""

"""Even Realities G1: two arms with a link each, pictures of one bit or the lens's own text."""

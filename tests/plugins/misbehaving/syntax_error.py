"""Is no Python."""

REFUSED = "SyntaxError"


exec("def f(:")

"""How what is learned is learned; nothing of it is used at run time."""

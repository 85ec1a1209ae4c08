"""From words to intents: normalising, numbers, templates, yes and no, the router."""

"""Speech by pocketsphinx, from the graph of what can be said."""

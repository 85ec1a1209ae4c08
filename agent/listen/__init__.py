"""From sound to words: voice activity, the end of a turn, and the speech engines."""

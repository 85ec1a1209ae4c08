"""Speech by Whisper: any words, hinted at what can be said."""

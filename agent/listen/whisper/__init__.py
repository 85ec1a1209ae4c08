"""Speech by Whisper: any words, alone or beside a grammar engine."""

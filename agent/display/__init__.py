"""What the wearer sees: a reply becomes a card, a card becomes frames, frames take turns."""

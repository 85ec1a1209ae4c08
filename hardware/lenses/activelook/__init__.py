"""ActiveLook glasses (Engo, Julbo Evad and others): an open command set, text and grey pictures."""

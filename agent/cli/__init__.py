"""The command `glasses`: what each of its commands does is here, the commands in `commands`."""

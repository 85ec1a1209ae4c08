"""Brilliant Labs Halo: a Lua program on the glasses draws the strips that it is sent."""

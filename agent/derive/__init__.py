"""Everything that is made from what skills declare, in one place; nothing here is written twice."""

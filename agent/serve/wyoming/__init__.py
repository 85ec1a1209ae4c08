"""Being a Wyoming server: the glasses' ears for others, and what is asked of the agent as text.

- `server` takes connections and events, within limits
- `info` says what is served
- `found` lets others find it on the network
"""

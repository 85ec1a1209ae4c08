"""Being a server for xiaozhi's devices, over a WebSocket.

- `server` answers messages, and tells a device where the WebSocket is
- `opus` makes what the ears hear of a device's sound
"""

"""Speaking RTVI, the protocol of Pipecat's clients, over a WebSocket.

- `server` answers messages
- `protobuf` reads and writes the frames that clients in browsers and phones wrap them in
"""

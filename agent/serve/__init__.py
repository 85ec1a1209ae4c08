"""What others connect to: the simulator's page, programs, other assistants, devices.

What every server shares lies here: `ears` and `spoken` hear for clients, `sound` converts what they
send, `asking` answers them, `key` and `sockets` say who may come.
"""

"""The Model Context Protocol, both ways.

As a client: a server's tools become skills like any other. `kept` is what the wearer has agreed to,
a folder a server; `schema`, `saying` and `risk` derive slots, sentences and risk of a tool; `pipe`
and `line` talk to the server, bounded in time and size; `shown` makes cards of its answers, and
`skill` puts it all behind the hook of a plugin.

As a server: `server` offers every skill as a tool, under the same rules as if it had been said.
"""

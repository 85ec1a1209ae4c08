"""Glasses in a browser: a page stands in for the lens, the microphone, the camera and the body.

    page ──sound, pictures, what was typed and done──▶ session ──▶ glasses ──▶ Agent
         ◀──────────lens, transcript, turns──────────           ◀──

`app` has the routes, `guard` who may use them, `protocol` how both sides talk, `from_page` and
`to_page` the messages, `connections` the sockets, `session` a pair of glasses and its pages, and
`glasses` the pair itself: an agent and the virtual devices around it.
"""

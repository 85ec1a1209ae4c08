"""Many glasses on one machine or a cluster: `glasses hub`.

    glasses ══WebSocket══▶ sessions ──clips──▶ ears (one pool, or a deployment that batches)
                             │  │
                             │  └──────────▶ a server for Qwen (`agent.models.llm.server`)
                             └─payments────▶ ledgers, in one process of their own

`protocol` is what glasses and hub say to each other, `sessions` all sessions of one replica and
`session` one of them, `journal` what makes each turn happen once, `pool` the ears, `ledgers` the
one writer. uvicorn runs it on one machine, and `cluster` on Ray Serve.
"""

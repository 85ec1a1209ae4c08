"""The pocket Qwen: a tiny model of the Qwen3 architecture that turns an utterance into a call.

At run time there are three small files: `reading` (what the model sees of a text), `layout` (what
its tokens mean) and `router` (the call). The rest trains it: `recipe` (sentences and their split),
`words` and `noise` (what fills and blurs them), `data` (samples), `spelling` (its tokenizer),
`network` and `training` (PyTorch), `export` (GGUF), `evaluate` (the table). `CARD.md` is the model
card.
"""

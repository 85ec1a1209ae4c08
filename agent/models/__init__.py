"""The store of weights: which models are known, which are here, and how one is had.

`registry` knows models, `store` what lies in the models folder and which of it is used, `pull` gets
one from `sources`. Standard library only, so that an installer can pull before anything else is
installed. `llm` is the language model itself.
"""

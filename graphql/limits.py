"""How much one document may ask for, before anything of it runs."""

DEPTH_MAX = 12
ALIASES_MAX = 15
TOKENS_MAX = 2_000

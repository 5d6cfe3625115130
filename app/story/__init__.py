"""The whole walk as a story: real commands, a real server, real answers. `make demo` tells it."""

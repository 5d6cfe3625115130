"""From a GraphQL document to a plan: compiled once, run for every request. See docs/ARCHITECTURE.md."""

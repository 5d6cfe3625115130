"""What anyone can check without us: hashes, checkpoints, proofs. Imports nothing else of ours. See docs/PROOFS.md."""

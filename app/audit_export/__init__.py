"""The audit trail as files that others read."""

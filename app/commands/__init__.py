"""The commands of `tsuzuri`: each reads its arguments, calls actions, and prints for a person."""

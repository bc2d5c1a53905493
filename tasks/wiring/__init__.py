"""The real parts, wired together: what an installation sets, its channels, and the toolbox that steps are given."""

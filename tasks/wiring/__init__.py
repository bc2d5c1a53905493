"""The real parts, wired together: the settings of an installation, its channels, and the toolbox for the steps."""

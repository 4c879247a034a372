"""The commands, by who needs them. `cli.main` names them all; each is loaded when it is run."""

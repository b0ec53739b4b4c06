"""The JSON of policies: what each kind may say, in which words it is refused, the statements that it is. Pure."""

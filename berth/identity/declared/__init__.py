"""Identities that a file declares: what has to change so that an account is as the file says.

`files` reads the file, `plan` compares it with the account and gives the steps, which are changes of the directory
(berth/identity/directory): each is one that the API could make, too.
"""

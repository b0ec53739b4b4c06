"""The policy engine: what policies say of a request. Pure: no database, no HTTP.

A document is compiled once (`compiled`) into matchers; `decide` puts together what the policies of all kinds say, as
the IAM user guide has it ("Policy evaluation logic"); `denials` gives AWS's words for a refusal, `explaining` all that
SimulatePrincipalPolicy and people want to know; `context` builds the condition keys of a request.
"""

"""The prefixes that say which repositories a pull through cache rule or a creation template is for. Pure.

ECR API reference, "CreateRepositoryCreationTemplate", `prefix`: a slash is assumed at the end of every prefix, so that
`prod` means the repositories whose names begin with `prod/`; ROOT means those that no other prefix is for.
"""

ROOT = "ROOT"


def without_slash(prefix: str) -> str:
    """`prod/` and `prod` are one prefix."""
    return prefix.removesuffix("/")


def matching(repository_name: str) -> list[str]:
    """The prefixes that are for the repository, the closest first: of `a/b/c`, they are `a/b`, `a` and ROOT."""
    namespaces = repository_name.split("/")[:-1]
    return ["/".join(namespaces[:depth]) for depth in range(len(namespaces), 0, -1)] + [ROOT]

"""Tags against the patterns of ECR, where `*` stands for any run of characters, also none, and all else for itself."""


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` matches the whole of `text`, case and all, in time linear in both.

    The first place where a piece between two wildcards fits is always the best one, so nothing is ever tried twice.
    ECR user guide, "Lifecycle policy evaluation rules" (`tagPatternList`).
    """
    first, *pieces = pattern.split("*")
    if not pieces:
        return text == first
    last = pieces.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in pieces:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True

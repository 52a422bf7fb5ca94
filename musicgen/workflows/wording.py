"""Words of tables and messages."""

__all__ = ["with_article"]


def with_article(noun: str) -> str:
    """Put the indefinite article before a noun.

    Examples
    --------
    >>> with_article("token"), with_article("event")
    ('a token', 'an event')
    """
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"

"""Links in a text, and how doubtful their hosts are."""

from __future__ import annotations

import re

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>]+"
    r"|\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,10}/\S+"
    r"|\b[a-z0-9-]{3,63}(?:\.[a-z0-9-]{1,63}){0,4}\.(?:com|net|org|id|xyz|top|click|site|online|live|icu|"
    r"buzz|cam|cfd|rest|vip|club|shop|app|info|fun|link|web|center|space|store|me|xx|co|cc|page|apk)\b"
)
_MAYBE = re.compile(r"://|www\.|\.[a-z0-9-]")
"""What every link holds; most texts hold none of it."""
_DISGUISE = re.compile(r"[\[(]\s*\.\s*[\])]")
_HOST = re.compile(r"^(?:https?://)?(?:www\.)?([^/?#:\s]+)")
_TRUSTED = re.compile(
    r"(?:^|\.)(?:go\.id|desa\.id|ac\.id|sch\.id|mil\.id|google\.com|youtu\.be|"
    r"youtube\.com|instagram\.com|facebook\.com|tiktok\.com|goo\.gl)$"
)
_CHEAP = re.compile(
    r"\.(?:xyz|top|click|site|online|live|icu|buzz|cam|cfd|rest|vip|club|shop|fun|link|center|space|"
    r"store|info|app|page|apk|my\.id|biz\.id|web\.app|blogspot\.com|wixsite\.com|weebly\.com)$"
)
_SHORT = re.compile(
    r"^(?:bit\.ly|s\.id|tinyurl\.com|cutt\.ly|t\.ly|linktr\.ee|wa\.me|rb\.gy|"
    r"is\.gd|shorturl\.at|heylink\.me|t\.me)$"
)


def doubtful_hosts(masked: str) -> list[str]:
    """Hosts of the links in a masked text that are neither official nor a large platform."""
    text = _DISGUISE.sub(".", masked.lower())
    if not _MAYBE.search(text):
        return []
    found = (_HOST.match(url) for url in _URL.findall(text))
    return [host[1] for host in found if host and not _TRUSTED.search(host[1])]


def doubt_of(host: str) -> float:
    """How doubtful a host is, 0 to 1: shorteners and throw-away endings most."""
    return 0.8 if _SHORT.match(host) or _CHEAP.search(host) else 0.3

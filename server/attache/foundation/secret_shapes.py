"""The shapes of secrets, one row each: what to look for quickly, and what must then stand there."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

Match = re.Match[str]


class Shape(NamedTuple):
    """A kind of secret.

    `expression` must match where one of the `anchors` begins. Its group is the secret; without a group, all of it is.
    Anchors are found as plain text, which is what makes a clean text cheap; they hold no blanks, since texts are
    searched for them word by word.
    """

    name: str
    anchors: tuple[str, ...]
    expression: str
    check: Callable[[Match], bool] | None = None


@functools.cache
def pattern(shape: Shape) -> re.Pattern[str]:
    """Return the compiled expression of a shape, made when one of its anchors is first met."""
    return re.compile(shape.expression)


_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=[\[;\d]m))"
"""Where a word begins: also behind an escaped line end, a percent escape and a terminal's colour."""


def _key(vendor: str, prefixes: str, rest: str) -> Shape:
    """Return the row of a vendor's keys: one of `prefixes` where no word runs into it, then `rest`."""
    anchors = tuple(prefixes.split())
    heads = "|".join(re.escape(anchor) for anchor in anchors)
    return Shape(f"{vendor} key", anchors, rf"{_START}(?:{heads}){rest}")


VENDOR_KEYS = (
    # models
    _key("anthropic", "sk-ant-", r"[A-Za-z0-9_-]{20,}"),
    _key("openrouter", "sk-or-", r"(?:v1-)?[0-9a-f]{32,}"),
    _key("openai", "sk-", r"(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})"),
    _key("google", "AIza", r"[A-Za-z0-9_-]{35}"),
    _key("groq", "gsk_", r"[A-Za-z0-9]{40,}"),
    _key("xai", "xai-", r"[A-Za-z0-9]{40,}"),
    _key("perplexity", "pplx-", r"[A-Za-z0-9]{40,}"),
    _key("cerebras", "csk-", r"[a-z0-9]{40,}"),
    _key("fireworks", "fw_", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{22,}"),
    _key("nvidia", "nvapi-", r"[A-Za-z0-9_-]{40,}"),
    _key("replicate", "r8_", r"[A-Za-z0-9]{37}"),
    _key("hugging face", "hf_ api_org_", r"[A-Za-z0-9]{34}"),
    # code and packages
    _key("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36,}"),
    _key("github", "github_pat_", r"[A-Za-z0-9_]{22,}"),
    _key("gitlab", "glpat- gldt- glrt- glcbt- glptt-", r"[A-Za-z0-9_-]{20,}"),
    _key("npm", "npm_", r"[A-Za-z0-9]{36}"),
    _key("pypi", "pypi-AgE", r"[A-Za-z0-9_-]{50,}"),
    _key("docker", "dckr_", r"(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    # clouds
    _key("aws", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _key("google", "ya29.", r"[A-Za-z0-9_-]{20,}"),
    _key("google", "GOCSPX-", r"[A-Za-z0-9_-]{20,}"),
    Shape("azure key", ("AccountKey=", "SharedAccessKey="), r"[A-Za-z]+=([A-Za-z0-9+/]{40,}={0,2})"),
    _key("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{64}"),
    _key("databricks", "dapi", r"[0-9a-f]{32}"),
    _key("vault", "hvs. hvb. hvr.", r"[A-Za-z0-9_-]{24,}"),
    _key("planetscale", "pscale_", r"(?:tkn|oauth|pw)_[A-Za-z0-9_=.-]{32,}"),
    _key("supabase", "sbp_", r"[0-9a-f]{40}"),
    _key("tailscale", "tskey-", r"[a-z]+-[A-Za-z0-9-]{16,}"),
    _key("doppler", "dp.", r"(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,}"),
    _key("age", "AGE-SECRET-KEY-1", r"[0-9A-Z]{58}"),
    # services
    _key("stripe", "sk_ rk_", r"(?:live|test|prod)_[A-Za-z0-9]{16,}"),
    _key("stripe", "whsec_", r"[A-Za-z0-9+/=]{24,}"),
    _key("shopify", "shp", r"(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"),
    _key("slack", "xox xapp-", r"(?:[abeoprs](?:\.xox[bp])?-)?\d[A-Za-z0-9-]{10,}"),
    Shape("slack url", ("hooks.slack.com/",), r"hooks\.slack\.com/[a-z]+/([A-Za-z0-9+/]{40,})"),
    Shape("discord url", ("/api/webhooks/",), r"/api/webhooks/\d{15,}/([A-Za-z0-9_-]{40,})"),
    Shape("telegram key", (":AA",), r"(?<=\d{8}):(AA[A-Za-z0-9_-]{32,})"),
    _key("twilio", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _key("sendgrid", "SG.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _key("mailgun", "key-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _key("atlassian", "ATATT3 ATCTT3", r"[A-Za-z0-9_=-]{50,}"),
    _key("linear", "lin_", r"(?:api|oauth)_[A-Za-z0-9]{32,}"),
    _key("notion", "ntn_", r"[A-Za-z0-9]{40,}"),
    _key("figma", "figd_", r"[A-Za-z0-9_-]{30,}"),
    _key("postman", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    _key("new relic", "NRAK-", r"[A-Z0-9]{27}"),
    _key("sentry", "sntry", r"[su]_[A-Za-z0-9+/=_-]{40,}"),
)
KEY_ANCHORS = frozenset(anchor for shape in VENDOR_KEYS for anchor in shape.anchors)
SHORTEST_KEY = 16
"""No vendor's key is shorter, and no blank parts one: shorter words need not be searched for them."""

NAMED = re.compile(
    r"""(?ix)
    passw(?:or)?d | passphrase | secret | credential
    | (?:api|access|private|auth|account|encryption|signing|master|license)[_-]?key
    | (?:^|[_-]|auth|access|refresh|session|bearer|bot|id)token$ | _(?:key|pat|pwd|auth|dsn|jwt)$
    | ^(?:authorization|cookie|pwd_?hash)$
    """
)
"""Names of variables, headers and keys that hold secrets."""

_PLACEHOLDER = re.compile(
    r"(?i)your|example|sample|dummy|change.?me|placeholder|redacted|insert|replace|xxx|\*{3}|\.{3}|…|<|\$|\{|%\(|%s"
)
_NAME = (
    r"(?i:assw(?:or)?d|assphrase|ecret|oken|pi[_-]?key|ccess[_-]?key|rivate[_-]?key|redentials?)"
    r"(?i:[_-]?(?:key|value|base|data|bytes|hex|b64|base64|string|text|default|prod|live|test|dev|\d+)){0,3}"
)
_NAME_ANCHORS = (
    "assword", "ASSWORD", "asswd", "ASSWD", "assphrase", "ASSPHRASE", "ecret", "ECRET", "oken", "OKEN",
    "pi_key", "PI_KEY", "pi-key", "piKey", "pikey", "PIKEY", "ccess_key", "CCESS_KEY", "ccess-key", "ccessKey",
    "rivate_key", "RIVATE_KEY", "rivate-key", "rivateKey", "redential", "REDENTIAL",
)  # fmt: skip
_WRITTEN = re.compile(r"[A-Za-z_./:-]*\d{0,2}|[\d_./:-]*")
_BITS = 2.75
"""Bits a character below which a text repeats itself too much to be drawn at random."""


def drawn(value: str) -> bool:
    """Say whether a value looks drawn at random rather than written by a person who names things."""
    if _PLACEHOLDER.search(value) or _WRITTEN.fullmatch(value) or not any(map(str.isdigit, value)):
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares) >= _BITS


def _drawn_group(match: Match) -> bool:
    return drawn(match[1])


def _in_shell(match: Match) -> bool:
    """Say whether `NAME=value` is a line of a `.env` file or of a shell, where any value is one."""
    text = match.string
    line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    return bool(_SHELL_NAME.fullmatch(line)) and not _PLACEHOLDER.search(match[1]) and match[1] not in _LITERALS


def _of_a_person(match: Match) -> bool:
    """Say whether the password in a URL is more than the words that documentation puts there."""
    from urllib.parse import unquote

    words = {word for word in re.split(r"[^a-z0-9]+", unquote(match[1]).lower()) if word}
    return not (_PLACEHOLDER.search(match[1]) or words <= _WORDS_IN_DOCS)


def _key_material(match: Match) -> bool:
    return re.search(r"[A-Za-z0-9+/]{30}", match[1]) is not None


_SHELL_NAME = re.compile(r"\s*(?:(?:export|set|ENV|ARG|-e)\s+)?[A-Z][A-Z0-9_]*")
_LITERALS = frozenset({"None", "True", "False", "null", "true", "false"})
_WORDS_IN_DOCS = frozenset({
    "a", "the", "my", "some", "user", "username", "pass", "passwd", "password", "passphrase", "pw", "pwd", "secret",
    "token", "test", "testing", "tiger", "p", "x", "oauth", "basic",
})  # fmt: skip

SHAPES = (
    *VENDOR_KEYS,
    Shape("web token", ("eyJ",), _START + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    Shape(
        "private key",
        ("-----BEGIN",),
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----((?:(?!-----)[\s\S]){40,20000})",
        _key_material,
    ),
    Shape("bearer token", ("earer", "EARER"), r"(?i:earer)[ ]+([A-Za-z0-9._~+/-]{16,}=*)", _drawn_group),
    Shape("password", ("asic", "ASIC"), r"(?i:asic)[ ]+([A-Za-z0-9+/]{12,}={0,2})(?![A-Za-z0-9+/])", _drawn_group),
    Shape("password", ("://",), r"://[^\s/@:\"'<>]*:([^\s/@:,\"'<>]+)@", _of_a_person),
    # as a path, of which every second slash goes
    Shape("password", (":/",), r"(?<=[a-z]):/(?!/)[^\s/@:\"'<>]+:([^\s/@:,\"'<>]+)@", _of_a_person),
    Shape("password", ("machine",), r"machine\s+\S+\s+login\s+\S+\s+password\s+(\S+)", _drawn_group),
    Shape(  # password = "…", "api_key": "…", also with its quotes escaped
        "secret",
        _NAME_ANCHORS,
        rf"{_NAME}\\?[\"']?\s{{0,3}}(?::=|=>|[:=])\s{{0,3}}[bru]?\\?[\"']([^\s\"'\\]{{8,}})\\?[\"']",
        _drawn_group,
    ),
    Shape(  # password: …, Password=…;
        "secret",
        _NAME_ANCHORS,
        rf"{_NAME}\s{{0,3}}[:=]\s{{0,3}}([A-Za-z0-9+/=_@!#%^&*~-]{{10,}})(?=[;\s]|$)",
        _drawn_group,
    ),
    Shape(  # DB_PASSWORD=…
        "secret", _NAME_ANCHORS, rf"{_NAME}[A-Z0-9_]*=[\"']?([^\s\"'`()\[\]]{{6,}})[\"']?\s*(?=$|\n|\s\#)", _in_shell
    ),
)


def _by_anchor() -> Mapping[str, tuple[Shape, ...]]:
    table: dict[str, list[Shape]] = {}
    for shape in SHAPES:
        for anchor in shape.anchors:
            table.setdefault(anchor, []).append(shape)
    return {anchor: tuple(shapes) for anchor, shapes in table.items()}


BY_ANCHOR = _by_anchor()

"""The names that secrets stand under: of headers, query parameters and JSON fields."""

from __future__ import annotations

import re

_SEPARATORS = str.maketrans("", "", "-_ .")
_PLACE = re.compile(r"\[[0-9]{0,2}\]\Z")


def squash(name: str) -> str:
    """A name in the form that names are compared in: `api_key`, `API-Key` and `apiKey` are one."""
    return name.lower().translate(_SEPARATORS)


def one_of_list(name: str) -> str:
    """The name of a list, given the one of a parameter that is one of it: of `token[]` and `token[0]` it is `token`."""
    return _PLACE.sub("", name)


def _names(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


HEADER_NAMES = _names(
    "cfaccessclientsecret cfaccessjwtassertion cookie ddapplicationkey heliconeauth jobtoken xaccesskeyid",
    "privatetoken setcookie signature token xapikey xauth xcredential xcsrftoken xfunctionskey xgitlabtoken xkey",
    "xgoogiamauthorizationtoken xgoogiapjwtassertion xhoneycombteam xlitellmkey",
    "xmsauthorizationauxiliary xportkeyvirtualkey xrefreshtoken xsecret xsignature xtoken xvaulttoken",
    "xvercelprotectionbypass xxsrftoken",
)
HEADER_ENDINGS = tuple(
    _names(
        "accesskey accesstoken apikey apisecret apitoken authkey authorization authtoken clientsecret",
        "gatewaytoken idtoken mastersecret password secretkey securitytoken servicetoken sessiontoken",
        "subscriptionkey usertoken",
    )
)
QUERY_NAMES = _names(
    "accesskey accesstoken apikey apitoken assertion auth authkey authorization authtoken bearertoken",
    "clientassertion clientsecret code credential functionskey idtoken jwt key passwd password",
    "privatekey pwd refreshtoken sas secret secretkey securitytoken sessiontoken sig signature",
    "subscriptionkey token xamzcredential xamzsecuritytoken xamzsignature xapikey xgoogcredential",
    "xgoogsignature",
)
FIELD_NAMES = _names("authorization credential credentials idtoken passphrase secret token")
FIELD_ENDINGS = tuple(
    _names(
        "accesskey accesstoken accountkey apikey apisecret apitoken authtoken bearertoken",
        "clientsecret passwd password privatekey refreshtoken secretkey securitytoken sessiontoken",
        "signingsecret subscriptionkey webhooksecret",
    )
)
"""All names are as `squash` makes them. An ending covers names of one's own such as `STAGING_API_KEY`."""

"""Secrets that are known by their form: tokens with a prefix of their issuer, JSON Web Tokens, PEM blocks.

What the forms are: the rules of gitleaks (https://github.com/gitleaks/gitleaks, MIT licence, July 2026), as
far as they need no word beside the secret, and the documentation of issuers; expressed anew here.
"""

from __future__ import annotations

_WORD, _HEX, _ALNUM = r"[\w-]", r"[0-9a-fA-F]", r"[0-9A-Za-z]"
_FORMATS: tuple[tuple[str, str], ...] = (
    (r"(?:AKIA|ASIA|ABIA|ACCA)", r"[A-Z2-7]{16}\b"),  # AWS
    (r"ABSK", r"[0-9A-Za-z+/]{100,}"),  # Amazon Bedrock
    (r"gh[opsur]_", _ALNUM + r"{36,}"),  # GitHub
    (r"github_pat_", r"\w{22,}"),
    (r"gl(?:pat|ptt|rt|dt|ft|cbt|oas|soat|agent|imt|ffct)-", _WORD + r"{20,}"),  # GitLab
    (r"xox[abeoprs]-", r"[\w-]{10,}"),  # Slack
    (r"xapp-\d-", r"[\w-]{10,}"),
    (r"hooks\.slack\.com/(?:services|workflows|triggers)/", r"[\w+/-]{20,}"),
    (r"[sr]k_(?:live|test|prod)_", _ALNUM + r"{10,}"),  # Stripe
    (r"whsec_", r"[\w+/=]{24,}"),
    (r"AIza", r"[\w-]{35}"),  # Google
    (r"ya29\.", r"[\w-]{20,}"),
    (r"GOCSPX-", r"[\w-]{28}"),
    (r"sk-(?:ant|proj|svcacct|admin|or)-", r"[\w-]{20,}"),  # Anthropic, OpenAI, OpenRouter
    (r"sk-", _ALNUM + r"{20}T3BlbkFJ" + _ALNUM + r"{20}"),
    (r"(?:pplx-|gsk_|xai-|r8_|hf_|api_org_)", _ALNUM + r"{34,}"),
    (r"npm_", _ALNUM + r"{36}"),
    (r"pypi-AgE", r"[\w-]{50,}"),
    (r"rubygems_", _HEX + r"{48}"),
    (r"dckr_(?:pat|oat)_", r"[\w-]{27,}"),  # Docker
    (r"do[opr]_v1_", _HEX + r"{64}"),  # DigitalOcean
    (r"shp(?:at|ca|pa|ss)_", _HEX + r"{32}"),  # Shopify
    (r"SG\.", r"[\w-]{20,24}\.[\w-]{39,50}"),  # SendGrid
    (r"xkeysib-", _HEX + r"{64}-" + _ALNUM + r"{16}"),  # Brevo
    (r"key-", _HEX + r"{32}\b"),  # Mailgun
    (r"SK", _HEX + r"{32}\b"),  # Twilio
    (r"EZ[AT]K", _ALNUM + r"{54}"),  # EasyPost
    (r"(?:EAAA|sq0atp-|sq0csp-)", r"[\w-]{22,}"),  # Square
    (r"shippo_(?:live|test)_", _HEX + r"{40}"),
    (r"dapi", _HEX + r"{32}"),  # Databricks
    (r"dt0[a-z]\d\d\.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),  # Dynatrace
    (r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"[\w.-]{40,}"),  # Doppler
    (r"(?:glsa_|glc_)", r"[\w+/=]{32,}"),  # Grafana
    (r"NR(?:AK|II|JS|AL)-", r"[\w-]{19,}"),  # New Relic
    (r"sntry[su]_", r"[\w+/=]{40,}"),  # Sentry
    (r"hv[sbr]\.", r"[\w-]{24,}"),  # Vault
    (r"pul-", _HEX + r"{40}"),  # Pulumi
    (r"PMAK-", _HEX + r"{24}-" + _HEX + r"{34}"),  # Postman
    (r"lin_api_", _ALNUM + r"{40}"),  # Linear
    (r"ntn_", _ALNUM + r"{40,}"),  # Notion
    (r"pscale_(?:tkn|oauth|pw)_", r"[\w=.-]{32,}"),  # PlanetScale
    (r"AKCp", _ALNUM + r"{60,}"),  # Artifactory
    (r"HRKU-AA", r"[\w-]{50,}"),  # Heroku
    (r"fm[12][ar]?_", r"[\w+/=]{60,}"),  # Fly.io
    (r"sha256~", r"[\w-]{43}"),  # OpenShift
    (r"ops_eyJ", r"[\w+/=-]{100,}"),  # 1Password
    (r"LTAI", _ALNUM + r"{20}\b"),  # Alibaba Cloud
    (r"AGE-SECRET-KEY-1", r"[0-9A-Z]{58}"),
    (r"eyJ", r"[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]*)?"),  # JSON Web Token
)
_PEM = r"-----BEGIN [A-Z0-9 ]{1,60}-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]{1,60}-----)?"
PATTERN = "|".join([_PEM, *(rf"\b{prefix}{rest}" for prefix, rest in _FORMATS)])
"""A whole secret in a text, for RE2. A PEM block that was cut off is one until the end."""
PREFILTER = "(?-i:-----BEGIN [A-Z]|(?:{})[0-9A-Za-z_+/.-]{{8}})".format(
    "|".join(prefix for prefix, _ in _FORMATS)
)

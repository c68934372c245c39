"""Settings of how people sign in: allauth's, and whom a second step is asked of. A part of hopps/settings.py."""

from hopps import env, rates, sign_in_providers

DEVELOPMENT = env.is_development()

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.people.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# One address a person. A new one takes its place once its code was typed (accounts.mail_address).
ACCOUNT_CHANGE_EMAIL = True
# A code typed into the same tab: the text of a request written before sign-up stays where it was.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# Phones are verified by a code too, which autofill finds in a text by its digits. Codes cost money: see also CODES_A_DAY.
ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
# A code mailed for signing in: minutes and a few tries, then a new one.
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 5 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_FORMS = {"request_login_code": "accounts.forms.sign_in.RequestLoginCodeForm"}
# Google, Amazon Cognito, OpenID Connect: each where its settings are, none otherwise (decision 0030).
SOCIALACCOUNT_PROVIDERS = sign_in_providers.from_environment(development=DEVELOPMENT)
SOCIALACCOUNT_ADAPTER = "accounts.sign_in.provider_adapter.ProviderAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
# How long a person waits, in seconds, for what we ask a provider.
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
# How often what is allauth's may be done.
ACCOUNT_RATE_LIMITS = rates.ACCOUNT
MFA_RATE_LIMITS = rates.MFA
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
# What changes an account is mailed to its person, and asks who it is where the sign-in is older than so many seconds.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.number("REAUTHENTICATE_AFTER_SECONDS", 10 * 60, least=30)
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# The second step of signing in (accounts.sign_in.second_factor): who does nothing without one.
SECOND_FACTOR_FOR_OPERATORS = env.flag("SECOND_FACTOR_FOR_OPERATORS", default=not DEVELOPMENT)
SECOND_FACTOR_FOR_EXPERTS = env.flag("SECOND_FACTOR_FOR_EXPERTS")
MFA_ADAPTER = "accounts.sign_in.mfa_adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.second_factor.AuthenticateForm",
    "reauthenticate": "accounts.forms.second_factor.ReauthenticateForm",
    "activate_totp": "accounts.forms.second_factor.ActivateTOTPForm",
    "add_webauthn": "accounts.forms.second_factor.AddPasskeyForm",
    "edit_webauthn": "accounts.forms.second_factor.EditPasskeyForm",
    "authenticate_webauthn": "accounts.forms.second_factor.PasskeyForm",
    "login_webauthn": "accounts.forms.second_factor.LoginPasskeyForm",
    "reauthenticate_webauthn": "accounts.forms.second_factor.ReauthenticatePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Hopps"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Browsers make passkeys on https alone, and on localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEVELOPMENT

"""Rows of the access table for what other programs bring: accounts, the log's files, the office.

Their own views check further. The back office alone has a pattern, because each model that is
registered there makes five routes; nothing else is let in by how its name begins.
"""

from marketplace.access_rules import PUBLIC, PUBLIC_FORM, PUBLIC_PAGE, STAFF, USERS, Methods, Table

USERS_PAGE: Methods = {"GET": USERS}
USERS_FORM: Methods = {"GET": USERS, "POST": USERS}
OFFICE = "admin:*"

SITE: Table = {
    "healthz": PUBLIC_PAGE,
    "readyz": PUBLIC_PAGE,
    "schema": PUBLIC_PAGE,
    "docs": PUBLIC_PAGE,
    "log:checkpoint": PUBLIC_PAGE,
    "log:entries": PUBLIC_PAGE,
    "log:fetcher": PUBLIC_PAGE,
    "log:keys": PUBLIC_PAGE,
    "log:policy": PUBLIC_PAGE,
    "log:proof": PUBLIC_PAGE,
    "log:schema": PUBLIC_PAGE,
    "log:tile": PUBLIC_PAGE,
    "log:verifier": PUBLIC_PAGE,
    # Nobody logs in here: a rail proves itself by its signature over the raw body.
    "rail_webhook": {"POST": PUBLIC},
    "account_change_password": USERS_FORM,
    "account_confirm_email": PUBLIC_FORM,
    "account_confirm_login_code": PUBLIC_FORM,
    "account_email": USERS_FORM,
    "account_email_verification_sent": PUBLIC_PAGE,
    "account_inactive": PUBLIC_PAGE,
    "account_login": PUBLIC_FORM,
    "account_logout": PUBLIC_FORM,
    "account_reauthenticate": USERS_FORM,
    "account_reset_password": PUBLIC_FORM,
    "account_reset_password_done": PUBLIC_PAGE,
    "account_reset_password_from_key": PUBLIC_FORM,
    "account_reset_password_from_key_done": PUBLIC_PAGE,
    "account_set_password": USERS_FORM,
    "account_signup": PUBLIC_FORM,
    "mfa_activate_totp": USERS_FORM,
    "mfa_authenticate": PUBLIC_FORM,  # whoever is here has given a password, and is nobody yet
    "mfa_deactivate_totp": USERS_FORM,
    "mfa_download_recovery_codes": USERS_PAGE,
    "mfa_generate_recovery_codes": USERS_FORM,
    "mfa_index": USERS_PAGE,
    "mfa_reauthenticate": USERS_FORM,
    "mfa_view_recovery_codes": USERS_PAGE,
    "admin:login": PUBLIC_FORM,
    "admin:jsi18n": PUBLIC_PAGE,
    OFFICE: {"GET": STAFF, "POST": STAFF},
}

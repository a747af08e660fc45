"""What a buyer reads, in the languages we speak: ours, never the provider's."""

from service.api.schemas import WarningAnswer
from service.checkout.models import UpstreamWarning

_DEFAULT = "en"
WARNINGS: dict[str, dict[str, str]] = {
    "en": {
        "INVALID_PROMO_CODE": "This coupon was not accepted.",
        "INVALID_COUNTRY": "This country was not accepted.",
        "INVALID_POSTAL_CODE": "This postal code was not accepted.",
        "INVALID_TAX_ID": "This tax id was not accepted.",
        "INVALID_LOCALE": "This language is not available.",
        "": "A part of this request was not accepted.",
    },
    "de": {
        "INVALID_PROMO_CODE": "Dieser Gutschein wurde nicht angenommen.",
        "INVALID_COUNTRY": "Dieses Land wurde nicht angenommen.",
        "INVALID_POSTAL_CODE": "Diese Postleitzahl wurde nicht angenommen.",
        "INVALID_TAX_ID": "Diese Steuernummer wurde nicht angenommen.",
        "INVALID_LOCALE": "Diese Sprache gibt es hier nicht.",
        "": "Ein Teil dieser Anfrage wurde nicht angenommen.",
    },
}


def warning_answer(warning: UpstreamWarning, languages: list[str]) -> WarningAnswer:
    """A provider's warning in our words, in the first of `languages` (primary tags) that we speak."""
    words = next((WARNINGS[language] for language in languages if language in WARNINGS), WARNINGS[_DEFAULT])
    return WarningAnswer(code=warning.code, field=warning.field, message=words.get(warning.code, words[""]))

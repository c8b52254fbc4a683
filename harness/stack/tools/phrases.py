"""What an agent says around a tool call, in the languages of its other phrases."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.stack.tools.listed import Property
from harness.stack.tools.results import spoken
from harness.stack.tools.trouble import TroubleKind

MOST_ASKED_CHARS = 160
MOST_REASON_CHARS = 200
_ERROR_PREFIX = re.compile(r"^(?:error(?: executing tool \S+)?:\s*)+", re.IGNORECASE)  # the SDK's
_TROUBLE: Mapping[TroubleKind, Mapping[str, str]] = {
    "gone": {
        "en": "I'm sorry, I cannot look that up, because I cannot reach the service that knows it.",
        "fr": "Je suis désolé, je ne peux pas le vérifier, car le service qui le sait est injoignable.",
        "de": "Es tut mir leid, ich kann das nicht nachsehen, weil der Dienst dafür nicht erreichbar ist.",
        "es": "Lo siento, no puedo consultarlo, porque el servicio que lo sabe no responde.",
        "it": "Mi dispiace, non posso verificarlo, perché il servizio che lo sa non è raggiungibile.",
    },
    "slow": {
        "en": "I'm sorry, the service that knows that takes too long to answer. Please ask again later.",
        "fr": "Je suis désolé, le service met trop de temps à répondre. Redemandez plus tard, s'il vous plaît.",
        "de": "Es tut mir leid, der Dienst dafür antwortet nicht rechtzeitig. Bitte fragen Sie später noch einmal.",
        "es": "Lo siento, el servicio tarda demasiado en responder. Pregunte más tarde, por favor.",
        "it": "Mi dispiace, il servizio impiega troppo tempo a rispondere. Richieda più tardi, per favore.",
    },
    "refused": {
        "en": "I'm sorry, the service that knows that did not accept my request.",
        "fr": "Je suis désolé, le service n'a pas accepté ma demande.",
        "de": "Es tut mir leid, der Dienst dafür hat meine Anfrage nicht angenommen.",
        "es": "Lo siento, el servicio no ha aceptado mi petición.",
        "it": "Mi dispiace, il servizio non ha accettato la mia richiesta.",
    },
    "nonsense": {
        "en": "I'm sorry, the service that knows that gave me an answer that I do not understand.",
        "fr": "Je suis désolé, le service m'a donné une réponse que je ne comprends pas.",
        "de": "Es tut mir leid, der Dienst dafür hat etwas geantwortet, das ich nicht verstehe.",
        "es": "Lo siento, el servicio me ha dado una respuesta que no entiendo.",
        "it": "Mi dispiace, il servizio mi ha dato una risposta che non capisco.",
    },
    "too_large": {
        "en": "I'm sorry, the service that knows that gave me an answer that is far too long to read.",
        "fr": "Je suis désolé, la réponse du service est beaucoup trop longue pour être lue.",
        "de": "Es tut mir leid, die Antwort des Dienstes ist viel zu lang, um sie zu lesen.",
        "es": "Lo siento, la respuesta del servicio es demasiado larga para leerla.",
        "it": "Mi dispiace, la risposta del servizio è troppo lunga da leggere.",
    },
}
_FAILED = {
    "en": "I'm sorry, that did not work.",
    "fr": "Je suis désolé, cela n'a pas marché.",
    "de": "Es tut mir leid, das hat nicht geklappt.",
    "es": "Lo siento, no ha funcionado.",
    "it": "Mi dispiace, non ha funzionato.",
}
_ASK = {
    "en": "For that I need to know this: {}.",
    "fr": "Pour cela, j'ai besoin de savoir ceci : {}.",
    "de": "Dafür muss ich noch etwas wissen: {}.",
    "es": "Para eso necesito saber esto: {}.",
    "it": "Per questo devo sapere: {}.",
}


def trouble(kind: TroubleKind, language: str) -> str:
    """Says that a server could not be used, and why."""
    return _in(_TROUBLE[kind], language)


def failed(reason: str, language: str) -> str:
    """Says that the tool reported an error, with its reason if that is a plain sentence."""
    plain = _ERROR_PREFIX.sub("", reason.strip())
    if len(plain) > MOST_REASON_CHARS or re.search(r"://|[\n\[\]{}<>]|Traceback", plain):
        return _in(_FAILED, language)  # meant for a program, not for a person
    return f"{_in(_FAILED, language)} {spoken(plain)}".strip()


def ask(wanted: Property, language: str) -> str:
    """Asks for an argument, in the words of the tool's schema."""
    text = (wanted.description or wanted.title)[:MOST_ASKED_CHARS].strip(" .:?!") or wanted.title
    if wanted.choices:
        text += f" ({', '.join(map(str, wanted.choices[:8]))})"
    plain = text[:1].lower() + text[1:] if text[1:2].islower() else text
    return _in(_ASK, language).format(plain)


def _in(phrases: Mapping[str, str], language: str) -> str:
    return phrases.get(language.lower().split("-")[0], phrases["en"])

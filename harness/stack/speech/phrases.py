"""What the agent says when no fact is asked for or none is known, in several languages."""

from __future__ import annotations

import re

_UNKNOWN = {
    "en": "I'm sorry, I don't know that.",
    "fr": "Je suis désolé, je ne le sais pas.",
    "de": "Es tut mir leid, das weiß ich nicht.",
    "es": "Lo siento, no lo sé.",
    "it": "Mi dispiace, non lo so.",
    "nl": "Het spijt me, dat weet ik niet.",
    "pt": "Lamento, não sei.",
}
_NOT_HEARD = {
    "en": "I'm sorry, I did not catch that.",
    "fr": "Pardon, je n'ai pas compris.",
    "de": "Entschuldigung, das habe ich nicht verstanden.",
    "es": "Perdón, no le he entendido.",
    "it": "Scusi, non ho capito.",
}
_SMALL = {
    "bye": {
        "en": "Thank you for calling. Goodbye!",
        "fr": "Merci de votre appel. Au revoir !",
        "de": "Danke für Ihren Anruf. Auf Wiederhören!",
        "es": "Gracias por llamar. ¡Adiós!",
        "it": "Grazie per la chiamata. Arrivederci!",
    },
    "thanks": {
        "en": "You're welcome. Is there anything else?",
        "fr": "Je vous en prie. Autre chose ?",
        "de": "Gern geschehen. Kann ich sonst noch helfen?",
        "es": "De nada. ¿Algo más?",
        "it": "Prego. Serve altro?",
    },
    "hello": {
        "en": "Hello! What would you like to know?",
        "fr": "Bonjour ! Que voulez-vous savoir ?",
        "de": "Guten Tag! Was möchten Sie wissen?",
        "es": "¡Hola! ¿Qué desea saber?",
        "it": "Buongiorno! Che cosa desidera sapere?",
    },
    "nod": {
        "en": "What else would you like to know?",
        "fr": "Que voulez-vous savoir d'autre ?",
        "de": "Was möchten Sie noch wissen?",
        "es": "¿Qué más desea saber?",
        "it": "Che altro desidera sapere?",
    },
}
_HEARD_AS = {  # a text of these only is small talk; the first kind found is answered
    "bye": r"good ?bye|bye(?: bye)?|see you(?: soon| then| later)?|have a (?:nice|good) (?:day|evening|one)|"
    r"that(?:'s| is| was) all|nothing else|au revoir|auf wieder(?:hören|sehen)|tschüss|adiós|arrivederci",
    "thanks": r"(?:many )?thanks(?: a lot)?|thank you|cheers|merci|(?:vielen )?dank|danke|gracias|grazie",
    "hello": r"hello|hi|hey|good (?:morning|afternoon|evening|day)|bonjour|guten (?:tag|morgen|abend)|hallo|hola|"
    r"buongiorno",
    "nod": r"yes|yeah|yep|no|nope|okay|ok|alright|all right|right|sure|great|perfect|fine|good|lovely|wonderful|i see|"
    r"mm-?hmm|mhm|uh-?huh|hmm+|stop|that(?: is|'s) enough|oui|non|ja|nein|gut|sí|sì|si|bene|bien",
}
_FILLER = (
    r"very much|so much|for (?:your|the|all your) (?:help|time|information|call)|then|well|so|oh|and|a lot|very|"
    r"that's|it|please|beaucoup|sehr|mucho|mille"
)
_ANY = re.compile(
    "|".join([*(f"(?:{pattern})" for pattern in _HEARD_AS.values()), _FILLER]).join((r"\b(?:", r")(?!\w)"))
)


def unknown(language: str) -> str:
    """The phrase for a question without a known answer."""
    return _in(_UNKNOWN, language)


def not_heard(language: str) -> str:
    """The phrase for an utterance that was not understood."""
    return _in(_NOT_HEARD, language)


def small_talk(said: str, language: str) -> str | None:
    """The reply to a greeting, thanks, a goodbye or an acknowledgement; None if there was more than that."""
    small = " ".join(said.lower().replace("\u2019", "'").split())
    if re.search(r"\w", _ANY.sub(" ", small)):
        return None
    for kind, pattern in _HEARD_AS.items():
        if re.search(rf"\b(?:{pattern})(?!\w)", small):
            return _in(_SMALL[kind], language)
    return None


def _in(phrases: dict[str, str], language: str) -> str:
    return phrases.get(language.lower().split("-")[0], phrases["en"])

"""Reads the constructions in which two negatives make advice, over a whole sentence.

Is: a lack that does harm ("failure to give fluids kills", "without anticoagulation the risk rises", "withholding opioids
is unjustified"), and what nothing equals ("no other drug works as fast"). Is not: cues and their scopes (see
`polarity_clauses.py`).
"""

from __future__ import annotations

import re

from chatbot.understand.polarity_cues import abruptly_pattern

_OPENING = r"^[\s\"'(\[•*–-]*(?:\d+[.)]\s+)?(?:(?:however|also|and|but|therefore),?\s+)?(?:the\s+|any\s+)?"
# Words for leaving something off, as the subject of a sentence; what is left off follows.
_LACK = re.compile(
    _OPENING
    + r"(?:without|in\s+the\s+absence\s+of|failure\s+to|failing\s+to|(?:undue\s+|long\s+|every\s+)?(?:delays?|delaying)(?:\s+(?:in|to|of))?|"
    r"withholding|omitting|omission\s+of|skipping|missing|missed|neglecting|denying|stopping|discontinuing|discontinuation\s+of|"
    r"withdrawing|withdrawal\s+of|interrupting|interruption\s+of|not\s+\w+ing|under-?treatment\s+of|under-?treating|untreated|"
    r"postponing|refusing|late)\b(?!\s+(?:any|side|serious)\b)"
    r"(?P<what>[^;:]*?)"
)
# What is left off is itself a leaving off, or a vice: "failure to stop", "stopping smoking".
_LACK_OF_LACK = re.compile(
    r"^\s*(?:stop|discontinu|withdraw|withhold|avoid|omit|reduc|taper|smok|alcohol|drinking|tobacco|recogni[sz]\w*\s+contra|limit|restrict)"
)
# The harm that follows from a lack. Benefit from it ("stopping the drug relieves the rash") is none.
_DOES_HARM = re.compile(
    r"(?:is|are|was|were|can\s+be|may\s+be|would\s+be)\s+(?:\w+\s+){0,2}?(?:harmful|dangerous|hazardous|fatal|lethal|unsafe|unjustified|"
    r"unethical|unacceptable|negligent|wrong|a\s+(?:\w+\s+)?(?:cause|mistake|error|risk)|risky|costly|linked\s+(?:to|with)|associated\s+with)\b"
    r"|(?:causes?|leads?\s+to|results?\s+in|costs?|risks?|kills?|harms?|threatens?|worsens?|endangers?|invites?)\b"
    r"|\b(?:raises?|increases?|doubles?|trebles?|triples?|multiplies)\s+(?:the\s+)?(?:\w+\s+){0,2}?(?:risk|rate|chance|odds|mortality|deaths?)"
    r"|\b(?:risks?|rates?|chances?|odds|mortality|deaths?|seizures|complications)\s+(?:\w+\s+){0,4}?(?:rises?|increases?|doubles?|trebles?|"
    r"triples?|climbs?|goes?\s+up|is\s+high\w*|are\s+(?:\w+\s+)?(?:common|likely))\b"
)
# "No other drug works as fast", "few treatments match exercise": then what is compared is the best.
_UNEQUALLED = re.compile(
    _OPENING
    + r"(?:no(?:\s+other)?|few(?:\s+other)?|nothing(?:\s+else)?|hardly\s+any(?:thing)?|none\s+of\s+the\s+other)\b[^;:,]{0,60}?"
    r"\b(?:(?:works?|acts?|relieves?|helps?|is|are|does)\s+(?:\w+\s+){0,2}?as\s+\w+(?:\s+\w+)?\s+as|match(?:es)?|rivals?|equals?|beats?|surpass(?:es)?|"
    r"(?:is|are|works?)\s+(?:\w+\s+)?(?:better|faster|safer|more\s+effective|superior)\s+(?:than|to))\s+(?P<than>[^;:,.]+)"
)
# Compared with these, to be no better is to be useless.
_NOTHING_MUCH = re.compile(
    r"\b(?:placebo|sham|dummy|no\s+(?:treatment|drug)|nothing|doing\s+nothing|hoped|expected|thought|usual\s+care|controls?|waiting)\b"
)


# "Stopping it does not raise the risk": then the lack does no harm.
_DENIED = re.compile(r"\b(?:not|no|never|without|rarely|unlikely|cannot|\w+n't)\b")

# "We suggest not treating": advice whose verb is denied. Not to leave off is to do.
_ADVISES_NOT = re.compile(
    r"\b(?:suggest|recommend|advise|propose|favou?r)(?:s|ed)?\s+(?:(?:that\s+)?(?:clinicians|doctors|patients|people)\s+)?not\s+(?:routinely\s+)?"
    r"(?:to\s+(?!only\b)\w+|\w+ing)\b(?<!delay)(?<!delaying)(?<!stop)(?<!stopping)(?<!withhold)(?<!withholding)(?<!omit)(?<!omitting)"
)


def side_of_construction(sentence: str) -> int:
    """Return 1 if a folded sentence speaks for what it names by denying or deploring its lack, -1 if it advises not to.

    To stop something abruptly is another matter: that sentence warns (see "abruptly" in `polarity.yaml`).

    Example:
        >>> side_of_construction("failure to give fluids early is a common cause of death.")
        1
        >>> side_of_construction("stopping clonidine suddenly is harmful.")
        0
    """
    if lack := _LACK.match(sentence):
        rest = sentence[lack.start("what") :]
        spared = _LACK_OF_LACK.match(rest) or _DENIED.search(rest) or abruptly_pattern().search(rest)
        return 1 if _DOES_HARM.search(rest) and not spared else 0
    unequalled = _UNEQUALLED.match(sentence)
    if unequalled and not _NOTHING_MUCH.search(unequalled["than"]):
        return 1
    return -1 if _ADVISES_NOT.search(sentence) else 0

"""Reads the constructions that decide a whole sentence: lacks that are deplored, measures for the few.

Is: a lack that does harm ("failure to give fluids kills", "without anticoagulation the risk rises"), a leaving off that
is itself advised against ("a mistake to omit", "no excuse for skipping", "nobody should go home without"), what nothing
equals ("no other drug works as fast"), and the forms that keep a measure for the few or send it to the past.
Is not: cues and their scopes (see `polarity_weights.py`).
"""

from __future__ import annotations

import re

from chatbot.understand.polarity_cues import abruptly_pattern

_OPENING = r"^[\s\"'(\[•*–-]*(?:\d+[.)]\s+)?(?:(?:however|also|and|but|therefore),?\s+)?(?:the\s+|any\s+)?"
# Words for leaving something off, as the subject of a sentence; what is left off follows.
_LACK = re.compile(
    _OPENING + r"(?:without|in\s+the\s+absence\s+of|failure\s+to|failing\s+to|(?:undue\s+|long\s+|every\s+)?(?:delays?|"
    r"delaying)(?:\s+(?:in|to|of))?|withholding|omitting|omission\s+of|skipping|missing|missed|neglecting|denying|"
    r"stopping|discontinuing|discontinuation\s+of|withdrawing|withdrawal\s+of|interrupting|interruption\s+of|"
    r"not\s+\w+ing|under-?treatment\s+of|under-?treating|untreated|postponing|refusing|forgetting\s+to|under-?use\s+of|"
    r"under-?prescribing(?:\s+of)?|under-?dosing(?:\s+of)?|un(?:vaccinated|immuni[sz]ed|treated|screened|protected|"
    r"supervised|splinted|corrected)|late)\b(?!\s+(?:any|side|serious)\b)(?P<what>[^;:]*?)"
)
# What is left off is itself a leaving off, or a vice: "failure to stop", "stopping smoking".
_LACK_OF_LACK = re.compile(
    r"^\s*(?:stop|discontinu|withdraw|withhold|avoid|omit|reduc|taper|smok|alcohol|drinking|tobacco|"
    r"recogni[sz]\w*\s+contra|limit|restrict)"
)
# The harm that follows from a lack. Benefit from it ("stopping the drug relieves the rash") is none.
_DOES_HARM = re.compile(
    r"(?:is|are|was|were|remains?|can\s+be|may\s+be|would\s+be)\s+(?:\w+\s+){0,2}?(?:harmful|dangerous|hazardous|fatal|"
    r"lethal|unsafe|unjustified|unethical|unacceptable|negligent|wrong|a\s+(?:\w+\s+)?(?:cause|mistake|error|risk)|"
    r"risky|costly|linked\s+(?:to|with)|associated\s+with)\b"
    r"|\bleaves?\s+[^.;:]{0,60}?\b(?:unprotected|at\s+risk|vulnerable|exposed|open\s+to)\b"
    r"|\b(?:runs?|faces?|carry|carries|have|has|(?:is|are)\s+at)\s+(?:an?\s+)?(?:[\w-]+\s+){0,3}?risk\b"
    r"|(?:causes?|leads?\s+to|results?\s+in|costs?|risks?|kills?|harms?|threatens?|worsens?|endangers?|invites?)\b"
    r"|\b(?:raises?|increases?|doubles?|trebles?|triples?|multiplies)\s+(?:the\s+)?(?:\w+\s+){0,2}?(?:risk|rate|chance|"
    r"odds|mortality|deaths?)"
    r"|\b(?:risks?|rates?|chances?|odds|mortality|deaths?|seizures|complications)\s+(?:\w+\s+){0,4}?(?:rises?|"
    r"increases?|doubles?|trebles?|triples?|climbs?|goes?\s+up|is\s+high\w*|are\s+(?:\w+\s+)?(?:common|likely))\b"
)
# "No other drug works as fast", "few treatments match exercise": then what is compared is the best.
_UNEQUALLED = re.compile(
    _OPENING + r"(?:no(?:\s+other)?|few(?:\s+other)?|nothing(?:\s+else)?|hardly\s+any(?:thing)?|"
    r"none\s+of\s+the\s+other)\b[^;:,]{0,60}?\b(?:(?:works?|acts?|relieves?|helps?|is|are|does|has|"
    r"have)\s+(?:\w+\s+){0,3}?as\s+\w+(?:\s+\w+)?(?:,[^,]*,)?\s+as|match(?:es)?|rivals?|equals?|beats?|surpass(?:es)?|"
    r"(?:is|are|works?)\s+(?:\w+\s+)?(?:better|faster|safer|more\s+effective|superior)\s+(?:than|"
    r"to))\s+(?P<than>[^;:,.]+)"
)
# Compared with these, to be no better is to be useless.
_NOTHING_MUCH = re.compile(
    r"\b(?:placebo|sham|dummy|no\s+(?:treatment|drug)|nothing|doing\s+nothing|hoped|expected|thought|usual\s+care|"
    r"controls?|waiting)\b"
)


# "Stopping it does not raise the risk": then the lack does no harm.
_DENIED = re.compile(r"\b(?:not|no|never|without|rarely|unlikely|cannot|\w+n't)\b")

# "We suggest not treating": advice whose verb is denied. Not to leave off is to do.
_ADVISES_NOT = re.compile(
    r"\b(?:suggest|recommend|advise|propose|favou?r)(?:s|ed)?\s+(?:(?:that\s+)?(?:clinicians|doctors|patients|"
    r"people)\s+)?not\s+(?:routinely\s+)?(?:to\s+(?!only\b)\w+|"
    r"\w+ing)\b(?<!delay)(?<!delaying)(?<!stop)(?<!stopping)(?<!withhold)(?<!withholding)(?<!omit)(?<!omitting)"
)


# Verbs for leaving off, as what a sentence speaks against.
_LEAVE_OFF = (
    r"(?:omit(?:ting)?|withhold(?:ing)?|skip(?:ping)?|fore?go(?:ing)?|neglect(?:ing)?|deny(?:ing)?|delay(?:ing)?|"
    r"postpon(?:e|ing)|refus(?:e|ing)|stop(?:ping)?|discontinu(?:e|ing)|withdraw(?:ing)?|interrupt(?:ing)?|"
    r"overlook(?:ing)?|forget(?:ting)?|miss(?:ing)?(?:\s+out)?|dispens(?:e|ing)\s+with|fail(?:ing|ure)?\s+to|"
    r"not\s+(?:to\s+)?\w+|(?:do|doing|go|going|manage|managing)\s+without|leav(?:e|ing)\s+(?:out|off)|"
    r"(?:leav(?:e|ing)|send(?:ing)?|discharg(?:e|ing))\s+(?:[\w-]+\s+){1,5}?without)\b(?!\s+smoking)"
)
_NO_GROUND = re.compile(
    r"\b(?:no|not\s+an?|not|never|hardly\s+an?|nor\s+an?)\s+(?:[\w-]+\s+){0,3}?(?:excuse|reasons?|grounds?|"
    r"justification|pretext|argument|cause|used)\s+(?:for|to)\s+(?:the\s+)?" + _LEAVE_OFF
)
_WRONG_TO_OMIT = re.compile(
    r"\b(?:mistake|error|wrong|unwise|unethical|unsafe|dangerous|folly|negligent|negligence|inexcusable|indefensible|"
    r"irresponsible|malpractice)\s+(?:for\s+\w+\s+)?(?:(?:to|in)\s+(?:ever\s+)?|(?=not\s))" + _LEAVE_OFF
)
_NOT_TO_OMIT = re.compile(
    r"\b(?:refrain(?:s|ed)?\s+from|abstain\s+from|avoid(?:s|ed)?|beware\s+of|guard\s+against|warn(?:s|ed)?\s+against|"
    r"no\s+longer\s+(?:advise|recommend)s?)\s+" + _LEAVE_OFF
)
# "Nobody should go home without …", "do not discharge a patient without …": the person is not what is forbidden. What
# is given or begun is: "nobody should be given valproate without …" warns.
_NOBODY_WITHOUT = re.compile(
    r"\b(?:(?:nobody|no\s+one|no\s+(?:[\w-]+\s+){0,2}?(?:patients?|child|children|wom[ae]n|m[ae]n|person|people|baby|"
    r"infant|newborn|adult|mother))\b|(?:do\s+not|don't|never|should\s+not|must\s+not)\s+(?:be\s+)?(?:leave|discharge|"
    r"send|sent|let|allow|discharged|allowed)\b)(?:(?!\b(?:giv\w+|receiv\w+|tak\w+|us\w+|start\w*|beg\w+|prescrib\w+|"
    r"treat\w*|operat\w+|undergo\w*|expos\w+|drive|on|have|stop\w*)\b)[^.;:]){0,60}?\bwithout\b"
)
# "Do not let a normal film talk you out of a scan".
_NOT_LET_STOP = re.compile(
    r"\b(?:not|never|don't)\s+(?:let|allow)\b[^.;:]{1,60}?\b(?:stop|deter|keep|prevent|discourage|dissuade|put|talk|"
    r"scare|hold)\b[^.;:]{0,30}?\b(?:from|off|out\s+of|back)\b"
)
# A fear told as groundless defends what is feared.
_FEAR_UNFOUNDED = re.compile(
    r"\b(?:fears?|worr(?:y|ies)|concerns?|suspicions?|dread)\s+(?:that|of|about|over)\b[^;:]*?\b(?:is|are|was|were|"
    r"has\s+been|have\s+been|proved|proves)\s+(?:(?!not\b|hardly\b)\w+\s+)?(?:unfounded|groundless|exaggerated|"
    r"overstated|misplaced|unjustified|baseless|without\s+foundation)\b"
)
_CASE = re.compile(
    r"\bcase\s+(?P<way>for|against)\b[^.;:]{1,80}?\b(?:is|has\s+been|"
    r"remains)\s+(?:(?!not\b|hardly\b|never\b)\w+\s+)?(?:(?P<strong>overwhelming|strong|compelling|convincing|made|"
    r"clear|proven|unanswerable)|weak|thin|poor|unproven|lost|unconvincing)\b"
)
# Kept for the few.
_ONLY_RARELY = re.compile(
    r"\b(?<!happens )(?<!occurs )(?<!occur )(?<!seen )(?<!found )(?<!needed )only\s+(?:in|under|"
    r"as)\s+(?:an?\s+)?(?:very\s+|most\s+|highly\s+)?(?:exceptional|rare|extreme|extraordinary|desperate|exception)\b"
)
_LAST_RESORT = re.compile(
    r"\b(?:last|final)[\s-](?:resort|ditch)\b|\bthe\s+very\s+last\s+(?:option|choice|step|line)\b"
)
_KEPT_FOR = re.compile(
    r"\b(?:be|is|are|being)\s+(?:\w+\s+)?(?:(?:reserved|held\s+back)\s+for|"
    r"kept\s+(?:back\s+)?for\s+(?:those|people|patients|women|men|children|adults|cases|severe|proven|emergenc\w+|when|"
    r"specialist\w*))\b"
    r"|\b(?:best|better|safest|wisely)\s+(?:left|reserved|kept)\s+(?:to|for)\b"
)
_PREFERS_OTHER = re.compile(
    r"\b(?<!may )(?<!might )(?<!can )(?<!to )(?:choose|use|prescribe|pick|give|find|take)\s+(?:something\s+else|"
    r"(?:another|a\s+different|an?\s+alternative)\s+(?:drug|agent|medic\w+|antib\w+|anti\w+|painkiller|analgesic|"
    r"treatment|class|option|method|sedative|statin))\b"
    r"|\b(?:rather\s+than|instead\s+of|before)\s+(?:reaching\s+for|resorting\s+to|falling\s+back\s+on|"
    r"rushing\s+(?:in)?to)\b"
    r"|\bdeserves?\s+(?:\w+\s+)?better\b"
)
_OTHER_WORDS = (
    "another",
    "different",
    "something",
    "alternative",
    "deserve",
    "reaching",
    "resort",
    "falling",
    "rushing",
)
_FAILED_FIRST = re.compile(
    r"\b(?:fail\w*|not\s+(?:work|tolerat\w+|enough|help|suit|respond)\w*|intoleran\w+|inadequate|unavailable)\b"
)
_TEMPTED = re.compile(
    r"\b(?:anyone|anybody|those|whoever|doctors?|clinicians?|prescribers?|"
    r"parents?)\s+(?:who\s+(?:is|are|feels?)\s+)?tempted\s+to\b"
)
# Sent to the past.
_OBSOLETE = re.compile(
    r"\b(?:belongs?\s+(?:to|in)\s+(?:the\s+(?:past|history|museum)|history|museums?)|"
    r"(?:has|have|had)\s+had\s+(?:its|their)\s+day|(?:the\s+)?days?\s+of\b[^.;:]{1,60}?\b(?:is|"
    r"are)\s+(?:(?!not\b)\w+\s+)?(?:over|gone|past|numbered|behind)|(?:thing|relic)s?\s+of\s+the\s+past|consigned\s+to|"
    r"gone\s+out\s+of\s+(?:use|fashion)|(?:enthusiasm|support|hopes?|interest)\s+(?:for|in|"
    r"that)\b[^.;:]{1,60}?\b(?:evaporated|waned|faded|collapsed|cooled|vanished|died))\b"
)
_STEER = re.compile(
    r"\b(?:steer|keep|stay|guide|warn|shy|move|turn)s?\s+(?:[\w-]+\s+){0,6}?(?:away\s+from|clear\s+of)\s"
)
_LEAVE_ALONE = re.compile(
    r"(?:^|[,;:]\s|\b(?:and|so|but|to|should|must)\s)leave\s+(?:[\w'-]+\s+){1,5}?(?:alone|unopened|untouched|"
    r"undisturbed|be(?=[\s.!]*$)|on\s+(?:the|its|their)\s+(?:[\w']+\s+)?shelf|"
    r"in\s+the\s+(?:cupboard|drawer|cabinet|pharmacy))\b"
)
_AT_A_PRICE = re.compile(
    r"\bat\s+(?:the|considerable|great)\s+(?:\w+\s+)?(?:price|cost|expense)\s+of\b(?!\s*[$€£\d])"
    r"|\b(?:price|tax|penalty)\s+(?:that\s+is\s+)?(?:paid|to\s+pay)\s+for\b"
)
# "Tapered and stopped".
_WIND_DOWN = re.compile(
    r"\b(?:taper|wean|tail|reduce|phase)\w*\s+(?:(?:off|down|out)\s+)?and\s+(?:then\s+)?(?:stop|discontinu|withdraw|"
    r"end)\w*\b"
)
_WRONG_WORDS = tuple(
    "mistake error wrong unwise unethical unsafe dangerous folly negligen excusabl defensib respons malprac".split()
)
_PAST_WORDS = tuple("past|history|museum| day|relic|consigned|out of|enthusiasm|support|hope|interest".split("|"))
_TURNED_BY_DENIAL = frozenset((_WRONG_TO_OMIT, _NOT_TO_OMIT))

# Each pattern with the words of which one must stand in the sentence for it to be tried, and its side. The first that
# fits decides, so that what asks for the thing stands before what forbids it.
_TABLE: tuple[tuple[tuple[str, ...], re.Pattern[str], int], ...] = (
    (("excuse", "reason", "ground", "justif", "pretext", "argument", "cause", "used"), _NO_GROUND, 1),
    (_WRONG_WORDS, _WRONG_TO_OMIT, 1),
    (("refrain", "abstain", "avoid", "beware", "guard", "warn", "no longer"), _NOT_TO_OMIT, 1),
    (("without",), _NOBODY_WITHOUT, 1),
    ((" let ", " allow "), _NOT_LET_STOP, 1),
    (("fear", "worr", "concern", "suspicion", "dread"), _FEAR_UNFOUNDED, 1),
    (("only ",), _ONLY_RARELY, -1),
    (("last", "final"), _LAST_RESORT, -1),
    (("reserved", "kept", "held back", "left to", "left for"), _KEPT_FOR, -1),
    (("tempted",), _TEMPTED, -1),
    (_PAST_WORDS, _OBSOLETE, -1),
    (("away from", "clear of"), _STEER, -1),
    (("leave ",), _LEAVE_ALONE, -1),
    (("price", "cost", "expense", "tax", "penalty"), _AT_A_PRICE, -1),
    (("taper", "wean", "tail", "reduc", "phas"), _WIND_DOWN, -1),
)


def side_of_construction(sentence: str) -> int:
    """Return 1 if a folded sentence speaks for what it names by denying or deploring its lack.

    -1 if it advises not to, keeps it for the few or sends it to the past; 0 if it does none of these.

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
    for words, pattern, side in _TABLE:
        for word in words:
            if word in sentence:
                break
        else:
            continue
        if match := pattern.search(sentence):
            if side > 0 and abruptly_pattern().search(sentence, match.end()):
                return 0
            # "No mistake to omit it", "should not be reserved for …": then the construction says nothing.
            if (side < 0 or pattern in _TURNED_BY_DENIAL) and _DENIED.search(sentence, 0, match.start()):
                continue
            return side
    if "case" in sentence and (case := _CASE.search(sentence)):
        return 1 if (case["way"] == "for") == bool(case["strong"]) else -1
    other = any(word in sentence for word in _OTHER_WORDS) and _PREFERS_OTHER.search(sentence)
    if other and not _FAILED_FIRST.search(sentence):
        return -1
    return -1 if _ADVISES_NOT.search(sentence) else 0

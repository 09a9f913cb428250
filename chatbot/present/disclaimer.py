"""The words that stand under every reply, and on the first screen.

Is: fixed sentences for each kind of reader. Is not: a review status; that is told per passage (see `notices.py`).
"""

from __future__ import annotations

from chatbot.replies import Audience

# Grade 6 or less: patients read it. Checked by a test.
_PATIENT = (
    "This is software, not a doctor or a nurse. It shows quotes from health articles. "
    "No health worker has checked this reply. Use it to talk with your doctor, nurse or pharmacist. "
    "Do not start, stop or change a medicine on your own."
)
# Grade 10 or less. A physician's words may be longer, the message may not be softer.
_PROFESSIONAL = (
    "This is software, not a clinician. It is supplementary to your clinical judgement and to the guidelines "
    "it cites, and replaces neither. Check each quote and dose in its source before you use it. "
    "Unless a passage says so, no clinician has reviewed it."
)
_STUDENT = (
    "This is software, not a clinician or a teacher. It is for learning and adds to the guidelines it cites. "
    "Check each quote and dose in its source. Do not use it for the care of a patient without a supervisor. "
    "Unless a passage says so, no clinician has reviewed it."
)


def disclaimer(audience: Audience) -> str:
    """Return the disclaimer for a reader; never empty."""
    if audience == "patient":
        return _PATIENT
    return _STUDENT if audience == "student" else _PROFESSIONAL

"""What retrieval is handed of disputes."""

from typing import Final

from numerbay_chain.disputes.advice import standing
from numerbay_chain.disputes.keys import is_right, sealed_scalar
from numerbay_chain.disputes.remedies import remedy
from numerbay_chain.retrieval.recourse import Recourse

RECOURSE: Final = Recourse(remedy, standing, sealed_scalar, is_right)
"""As the contract judges."""

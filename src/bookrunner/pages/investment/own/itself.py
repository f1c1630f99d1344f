"""Who reads about itself: the signed-in investor, and nobody in its place."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from bookrunner.core.errors import NotAllowed
from bookrunner.pages.access import SignedIn, requiring


def itself(request: Request) -> SignedIn:
    """Return the investor who is signed in.

    Raises NotAuthenticated ``person_is_signed_in``, NotAllowed ``key_serves_this_keeper`` and
    ``investor_acts_for_itself``.
    """
    visitor = requiring(("portal",))(request)
    if not visitor.is_investor:
        raise NotAllowed("investor_acts_for_itself", "an investor reads this about itself")
    return visitor


Itself = Annotated[SignedIn, Depends(itself)]

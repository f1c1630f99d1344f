"""Words of names that identify nobody: titles, particles, legal forms."""

from __future__ import annotations

from typing import Final

_TITLES = (
    "mr mrs ms miss mister dr prof professor sir madam mme mlle herr frau senor senora don dona hon "
    "rev jr sr ii iii iv esq phd md mba cpa cfa"
)
_PARTICLES = "al el ul bin ibn bint de del la los las der von und y"
_FORMS = (
    "ltd limited llc lc llp lp plc inc incorporated co cos company companies corp corporation gmbh "
    "ag kg ohg ug sa sas sasu sarl sprl bvba srl srls spa snc sl slu slne sca scs sc scrl bv nv cv "
    "vof ab as asa aps oy oyj ooo oao zao pao ao nao jsc ojsc cjsc pjsc pjs ojs tov tzov ead eood "
    "ood ad doo dd kft rt zrt nyrt sro spol pte pty sdn bhd kk yk gk fzc fze fzco fzllc dmcc est pvt "
    "private public joint stock closed open ltda lda eirl de rl scv sab sapi sofom tic ve san sti "
    "psc wll bsc kscc qsc saoc sal offshore the and of for et und dan y ou la le les cie"
)

TITLES: Final = frozenset(_TITLES.split())
PARTICLES: Final = frozenset(_PARTICLES.split())
LEGAL_FORMS: Final = frozenset(_FORMS.split())
# Written out, a form is often misspelt: the longest anywhere, the others beside another form.
LONG_FORMS: Final = tuple(sorted(form for form in LEGAL_FORMS if len(form) >= 7))  # noqa: PLR2004
MIDDLE_FORMS: Final = tuple(sorted(form for form in LEGAL_FORMS if len(form) in {5, 6}))

"""Countries by their ISO 3166-1 code, and the names under which public lists write them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bookrunner.core.errors import Refused

_NAMES: Final = (
    "AD Andorra|AE United Arab Emirates|AF Afghanistan|AG Antigua and Barbuda|AI Anguilla|AL Albania"
    "|AM Armenia|AO Angola|AQ Antarctica|AR Argentina|AS American Samoa|AT Austria|AU Australia|AW Aruba"
    "|AX Aland Islands|AZ Azerbaijan|BA Bosnia and Herzegovina|BB Barbados|BD Bangladesh|BE Belgium"
    "|BF Burkina Faso|BG Bulgaria|BH Bahrain|BI Burundi|BJ Benin|BL Saint Barthelemy|BM Bermuda"
    "|BN Brunei Darussalam=Brunei|BO Bolivia=Plurinational State of Bolivia"
    "|BQ Bonaire, Sint Eustatius and Saba|BR Brazil|BS Bahamas|BT Bhutan|BV Bouvet Island|BW Botswana"
    "|BY Belarus|BZ Belize|CA Canada|CC Cocos Islands"
    "|CD Democratic Republic of the Congo=Congo, the Democratic Republic of the=DR Congo"
    "|CF Central African Republic|CG Congo=Republic of the Congo|CH Switzerland"
    "|CI Cote d'Ivoire=Ivory Coast|CK Cook Islands|CL Chile|CM Cameroon|CN China=People's Republic of China"
    "|CO Colombia|CR Costa Rica|CU Cuba|CV Cabo Verde=Cape Verde|CW Curacao|CX Christmas Island|CY Cyprus"
    "|CZ Czechia=Czech Republic|DE Germany|DJ Djibouti|DK Denmark|DM Dominica|DO Dominican Republic"
    "|DZ Algeria|EC Ecuador|EE Estonia|EG Egypt|EH Western Sahara|ER Eritrea|ES Spain|ET Ethiopia"
    "|FI Finland|FJ Fiji|FK Falkland Islands|FM Micronesia=Federated States of Micronesia|FO Faroe Islands"
    "|FR France|GA Gabon"
    "|GB United Kingdom=Great Britain=United Kingdom of Great Britain and Northern Ireland|GD Grenada"
    "|GE Georgia|GF French Guiana|GG Guernsey|GH Ghana|GI Gibraltar|GL Greenland|GM Gambia|GN Guinea"
    "|GP Guadeloupe|GQ Equatorial Guinea|GR Greece|GS South Georgia and the South Sandwich Islands"
    "|GT Guatemala|GU Guam|GW Guinea-Bissau|GY Guyana|HK Hong Kong|HM Heard Island and McDonald Islands"
    "|HN Honduras|HR Croatia|HT Haiti|HU Hungary|ID Indonesia|IE Ireland|IL Israel|IM Isle of Man|IN India"
    "|IO British Indian Ocean Territory|IQ Iraq|IR Iran=Islamic Republic of Iran|IS Iceland|IT Italy"
    "|JE Jersey|JM Jamaica|JO Jordan|JP Japan|KE Kenya|KG Kyrgyzstan|KH Cambodia|KI Kiribati|KM Comoros"
    "|KN Saint Kitts and Nevis|KP North Korea=Korea, North=Democratic People's Republic of Korea"
    "|KR South Korea=Korea, South=Republic of Korea|KW Kuwait|KY Cayman Islands|KZ Kazakhstan"
    "|LA Laos=Lao People's Democratic Republic|LB Lebanon|LC Saint Lucia|LI Liechtenstein|LK Sri Lanka"
    "|LR Liberia|LS Lesotho|LT Lithuania|LU Luxembourg|LV Latvia|LY Libya=State of Libya|MA Morocco"
    "|MC Monaco|MD Moldova=Republic of Moldova|ME Montenegro|MF Saint Martin|MG Madagascar"
    "|MH Marshall Islands|MK North Macedonia=Macedonia=Macedonia, The Former Yugoslav Republic of|ML Mali"
    "|MM Myanmar=Burma|MN Mongolia|MO Macau=Macao|MP Northern Mariana Islands|MQ Martinique|MR Mauritania"
    "|MS Montserrat|MT Malta|MU Mauritius|MV Maldives|MW Malawi|MX Mexico|MY Malaysia|MZ Mozambique"
    "|NA Namibia|NC New Caledonia|NE Niger|NF Norfolk Island|NG Nigeria|NI Nicaragua|NL Netherlands"
    "|NO Norway|NP Nepal|NR Nauru|NU Niue|NZ New Zealand|OM Oman|PA Panama|PE Peru|PF French Polynesia"
    "|PG Papua New Guinea|PH Philippines|PK Pakistan|PL Poland|PM Saint Pierre and Miquelon|PN Pitcairn"
    "|PR Puerto Rico"
    "|PS Palestine=State of Palestine=Palestinian=Palestinian Territory, Occupied=West Bank=Region: Gaza"
    "|PT Portugal|PW Palau|PY Paraguay|QA Qatar|RE Reunion|RO Romania|RS Serbia"
    "|RU Russia=Russian Federation|RW Rwanda|SA Saudi Arabia|SB Solomon Islands|SC Seychelles|SD Sudan"
    "|SE Sweden|SG Singapore|SH Saint Helena, Ascension and Tristan da Cunha|SI Slovenia"
    "|SJ Svalbard and Jan Mayen|SK Slovakia|SL Sierra Leone|SM San Marino|SN Senegal|SO Somalia|SR Suriname"
    "|SS South Sudan|ST Sao Tome and Principe|SV El Salvador|SX Sint Maarten|SY Syria=Syrian Arab Republic"
    "|SZ Eswatini=Swaziland|TC Turks and Caicos Islands|TD Chad|TF French Southern Territories|TG Togo"
    "|TH Thailand|TJ Tajikistan|TK Tokelau|TL Timor-Leste=East Timor|TM Turkmenistan|TN Tunisia|TO Tonga"
    "|TR Turkey=Turkiye|TT Trinidad and Tobago|TV Tuvalu|TW Taiwan|TZ Tanzania=United Republic of Tanzania"
    "|UA Ukraine|UG Uganda|UM United States Minor Outlying Islands"
    "|US United States=United States of America|UY Uruguay|UZ Uzbekistan|VA Holy See=Vatican City"
    "|VC Saint Vincent and the Grenadines|VE Venezuela=Bolivarian Republic of Venezuela"
    "|VG British Virgin Islands=Virgin Islands, British"
    "|VI United States Virgin Islands=Virgin Islands, U.S.|VN Vietnam=Viet Nam|VU Vanuatu"
    "|WF Wallis and Futuna|WS Samoa|YE Yemen|YT Mayotte|ZA South Africa|ZM Zambia|ZW Zimbabwe"
)
_NUMBERS: Final = (
    "AD020 AE784 AF004 AG028 AI660 AL008 AM051 AO024 AQ010 AR032 AS016 AT040 AU036 AW533 AX248 AZ031 "
    "BA070 BB052 BD050 BE056 BF854 BG100 BH048 BI108 BJ204 BL652 BM060 BN096 BO068 BQ535 BR076 BS044 "
    "BT064 BV074 BW072 BY112 BZ084 CA124 CC166 CD180 CF140 CG178 CH756 CI384 CK184 CL152 CM120 CN156 "
    "CO170 CR188 CU192 CV132 CW531 CX162 CY196 CZ203 DE276 DJ262 DK208 DM212 DO214 DZ012 EC218 EE233 "
    "EG818 EH732 ER232 ES724 ET231 FI246 FJ242 FK238 FM583 FO234 FR250 GA266 GB826 GD308 GE268 GF254 "
    "GG831 GH288 GI292 GL304 GM270 GN324 GP312 GQ226 GR300 GS239 GT320 GU316 GW624 GY328 HK344 HM334 "
    "HN340 HR191 HT332 HU348 ID360 IE372 IL376 IM833 IN356 IO086 IQ368 IR364 IS352 IT380 JE832 JM388 "
    "JO400 JP392 KE404 KG417 KH116 KI296 KM174 KN659 KP408 KR410 KW414 KY136 KZ398 LA418 LB422 LC662 "
    "LI438 LK144 LR430 LS426 LT440 LU442 LV428 LY434 MA504 MC492 MD498 ME499 MF663 MG450 MH584 MK807 "
    "ML466 MM104 MN496 MO446 MP580 MQ474 MR478 MS500 MT470 MU480 MV462 MW454 MX484 MY458 MZ508 NA516 "
    "NC540 NE562 NF574 NG566 NI558 NL528 NO578 NP524 NR520 NU570 NZ554 OM512 PA591 PE604 PF258 PG598 "
    "PH608 PK586 PL616 PM666 PN612 PR630 PS275 PT620 PW585 PY600 QA634 RE638 RO642 RS688 RU643 RW646 "
    "SA682 SB090 SC690 SD729 SE752 SG702 SH654 SI705 SJ744 SK703 SL694 SM674 SN686 SO706 SR740 SS728 "
    "ST678 SV222 SX534 SY760 SZ748 TC796 TD148 TF260 TG768 TH764 TJ762 TK772 TL626 TM795 TN788 TO776 "
    "TR792 TT780 TV798 TW158 TZ834 UA804 UG800 UM581 US840 UY858 UZ860 VA336 VC670 VE862 VG092 VI850 "
    "VN704 VU548 WF876 WS882 YE887 YT175 ZA710 ZM894 ZW716"
)
# Kosovo has no ISO code; XK is the user-assigned one that public lists and banks write. Its number is one of
# the hundred, 900 to 999, that ISO leaves to users.
_USER_ASSIGNED: Final = "|XK Kosovo"
_USER_NUMBERS: Final = " XK983"


def _words(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    parts = re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c)))
    return " ".join(sorted(part for part in parts if part not in {"the", "of", "and", "s"}))


COUNTRIES: Final = {row[:2]: row[3:].split("=")[0] for row in (_NAMES + _USER_ASSIGNED).split("|")}
_NUMBER_OF: Final = {word[:2]: int(word[2:]) for word in (_NUMBERS + _USER_NUMBERS).split()}
_BY_NAME: Final = {
    _words(name): row[:2] for row in (_NAMES + _USER_ASSIGNED).split("|") for name in row[3:].split("=")
}


def known_country(code: str) -> str:
    """Return an ISO 3166-1 alpha-2 code as given, upper case only; refuses ``country_is_known``."""
    if code not in COUNTRIES:
        raise Refused("country_is_known", "expected an ISO 3166-1 code of two capital letters")
    return code


def country_number(code: str) -> int:
    """Return the ISO 3166-1 number of a country by its code of two letters; refuses ``country_is_known``."""
    return _NUMBER_OF[known_country(code)]


def country_named(text: str) -> str | None:
    """Return the code of a country that is written as a code or by name in any order of words."""
    stripped = text.strip()
    if stripped.upper() in COUNTRIES:
        return stripped.upper()
    return _BY_NAME.get(_words(stripped))

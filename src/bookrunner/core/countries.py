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
# Kosovo has no ISO code; XK is the user-assigned one that public lists and banks write.
_USER_ASSIGNED: Final = "|XK Kosovo"


def _words(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    parts = re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c)))
    return " ".join(sorted(part for part in parts if part not in {"the", "of", "and", "s"}))


COUNTRIES: Final = {row[:2]: row[3:].split("=")[0] for row in (_NAMES + _USER_ASSIGNED).split("|")}
_BY_NAME: Final = {
    _words(name): row[:2] for row in (_NAMES + _USER_ASSIGNED).split("|") for name in row[3:].split("=")
}


def known_country(code: str) -> str:
    """Return an ISO 3166-1 alpha-2 code as given, upper case only; refuses ``country_is_known``."""
    if code not in COUNTRIES:
        raise Refused("country_is_known", "expected an ISO 3166-1 code of two capital letters")
    return code


def country_named(text: str) -> str | None:
    """Return the code of a country that is written as a code or by name in any order of words."""
    stripped = text.strip()
    if stripped.upper() in COUNTRIES:
        return stripped.upper()
    return _BY_NAME.get(_words(stripped))

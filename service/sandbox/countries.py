"""Countries: which exist, what they pay in, what they tax, and a tiny table from addresses to them."""

from decimal import Decimal
from ipaddress import ip_address, ip_network

from service.sandbox.money import pairs

COUNTRY_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE
YT ZA ZM ZW
"""
EURO_COUNTRIES = """
AD AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MC MT NL PT SI SK SM VA
"""
OTHER_CURRENCIES = """
AE:AED AR:ARS AU:AUD BR:BRL CA:CAD CH:CHF CL:CLP CN:CNY CO:COP CZ:CZK DK:DKK GB:GBP HK:HKD HU:HUF ID:IDR
IN:INR JP:JPY KR:KRW LI:CHF MX:MXN MY:MYR NO:NOK NZ:NZD PE:PEN PH:PHP PL:PLN SA:SAR SE:SEK SG:SGD TH:THB
TR:TRY TW:TWD VN:VND ZA:ZAR
"""
TAXES = """
AT:20 AU:10 BE:21 BG:20 CA:5 CH:8.1 CY:19 CZ:21 DE:19 DK:25 EE:24 ES:21 FI:25.5 FR:20 GB:20 GR:24 HR:25
HU:27 IE:23 IN:18 IT:22 JP:10 KR:10 LT:21 LU:17 LV:21 MT:18 NL:21 NO:25 NZ:15 PL:23 PT:23 RO:21 SE:25
SI:22 SK:23
"""
# `is_private` would also refuse the documentation networks, which are the ones that tests speak from.
UNROUTABLE = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/4
::/128 ::1/128 fc00::/7 fe80::/10 ff00::/8
"""
COUNTRIES = frozenset(COUNTRY_CODES.split())
CURRENCIES = {**dict.fromkeys(EURO_COUNTRIES.split(), "EUR"), **pairs(OTHER_CURRENCIES)}
TAX_PERCENTS = {country: Decimal(percent) for country, percent in pairs(TAXES).items()}
DEFAULT_COUNTRY = "US"
COUNTRY_BY_NETWORK = {
    ip_network("8.8.4.0/24"): "US",
    ip_network("203.0.113.0/24"): "DE",
    ip_network("198.51.100.0/24"): "GB",
    ip_network("192.0.2.0/24"): "FR",
    ip_network("2001:db8::/32"): "DE",
}
UNROUTABLE_NETWORKS = tuple(ip_network(network) for network in UNROUTABLE.split())


def currency_of(country: str) -> str:
    return CURRENCIES.get(country, "USD")


def tax_percent_of(country: str) -> Decimal:
    return TAX_PERCENTS.get(country, Decimal(0))


def is_public_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not any(address in network for network in UNROUTABLE_NETWORKS)


def country_of_address(text: str) -> str | None:
    if not is_public_address(text):
        return None
    address = ip_address(text)
    return next((country for network, country in COUNTRY_BY_NETWORK.items() if address in network), None)

"""What is taken for a card number, and what is not."""

import time

import pytest

from service.checkout.card_numbers import holds_card_number
from service.checkout.models import Customer, Identity, Item, OrderRequest
from service.checkout.policy import check_card_numbers
from tests.support.cards import SCHEMES, SEPARATORS, card, dice, lookalikes, typed, with_check_digit

# The card schemes' own published test numbers.
NUMBERS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "3530111333300000",
    "6011111111111117",
    "6200000000000005",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_published_numbers(number: str, separator: str) -> None:
    """Each scheme's number is found, whatever stands between its groups and around it."""
    written = separator.join(number[start : start + 4] for start in range(0, len(number), 4))

    assert holds_card_number(f"Ada {written}, please")


def test_generated_numbers_as_people_type_them() -> None:
    """1,000 numbers of all schemes are found, with any separators, in any digits, with other digits beside them."""
    luck = dice()

    assert [] == [text for text in (typed(card(luck), luck) for _ in range(1000)) if not holds_card_number(text)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12/27",
        "4111 1111 1111 1111 12/27 123",
        "4111111111111111 123",
        "Apt 12 4111 1111 1111 1111",
        "12 4111 1111 1111 1111 12",
        "12 34 4111111111111111",
        "4111111111111111/4222222222222222",
        "4111111111111112 4111111111111111",
        "Visa4111111111111111exp",
        "\u2463111 1111 1111 1111",  # a digit in a circle
        "\U0001d7d2111-1111-1111-1111",  # a mathematical digit
        "+4111111111111111",
        "Ada+4222222222222",
        "7+4222222222222",
        "+49 151 12345678, 4111 1111 1111 1111",
    ],
)
def test_neighbours_hide_nothing(text: str) -> None:
    """Digits of a date, a code, a house or another number before or behind a card number change nothing."""
    assert holds_card_number(text)


@pytest.mark.parametrize("length", range(12, 21))
@pytest.mark.parametrize("prefix", sorted({prefix for prefix, _ in SCHEMES}))
def test_length_belongs_to_the_scheme(prefix: str, length: int) -> None:
    """A number that passes the check is a card's only in a length of its scheme; with one digit changed none is."""
    number = with_check_digit((prefix + "0271828182845904523")[: length - 1])
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    of_scheme = {has for begins, has in SCHEMES if begins == prefix}
    if prefix.startswith(("30", "36", "38")):
        of_scheme = set(range(14, 20))

    assert (length in of_scheme) is holds_card_number(number)
    assert not holds_card_number(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ada Muster",
        "Straße 12, 1010 Wien",
        "+43 1 234 56 78",
        "411111111111",  # 12 digits
        "41111111111111111111",  # 20 digits
        "9111111111111111",  # no scheme begins so
        "4111111111111112",  # fails the check
        "411486491630370816 x",  # a flake id that fails the check
        "2026-11-21 10:00:00",
        "411486491630370818",  # 18 digits that pass the check: no length of Visa's
        "76561197960265729",
        "9994111111111111111",  # within a longer group
        "4111 1111 1111 1111999",
        "4111 1111 1111    1111",  # four characters between two groups
        "4111 1111 x 1111 1111",
        "+4915112345678",  # 13 digits that begin like Visa's and pass the check
        "+49 151 1234 5678",
        "call +49 151 1234 5678",
    ],
)
def test_other_texts(text: str) -> None:
    """Names, addresses, dates, and digits that are no card number pass."""
    assert not holds_card_number(text)


@pytest.mark.parametrize(("kind", "false_alarms"), [("flake", 200), ("steam", 0), ("tax", 10), ("phone", 0)])
def test_lookalikes(kind: str, false_alarms: int) -> None:
    """10,000 ids, tax ids and phone numbers pass where they belong; typed into a free text, nearly all of them do."""
    found = 0
    for text in lookalikes(kind):
        identity = Identity(platform="steam", id=text)
        customer = Customer(phone=text, tax_id=text, identity=identity, email=f"{text}@example.org")
        item = Item(product=text, game_server=text, gift_to=identity, gift_to_customer_id=text)
        check_card_numbers(OrderRequest(items=(item,), customer=customer, customer_id=text, coupon_id=text))
        found += holds_card_number(text)

    assert found <= false_alarms


def test_flake_ids_of_today_are_no_visa() -> None:
    """Of 10,000 ids of 18 digits that begin with 4 none is taken for a card, wherever it is typed."""
    luck = dice()

    assert [] == [text for _ in range(10_000) if holds_card_number(text := str(luck.randrange(4 * 10**17, 5 * 10**17)))]


def test_hostile_text_costs_little() -> None:
    """What all begins like a card and never passes the check takes time in proportion to its length."""
    began = time.process_time()
    for length in (65_536, *[255] * 500):
        assert not holds_card_number(("4 " * length)[:length])

    assert time.process_time() - began < 2

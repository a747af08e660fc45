"""What may be changed of a session, and what the provider is asked for."""

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CartNotAllowedError,
    SessionEndedError,
    UnsupportedByProviderError,
    UpstreamMismatchError,
    UpstreamTimeoutError,
)
from service.checkout.models import (
    Customer,
    Item,
    Money,
    Order,
    OrderRequest,
    Pricing,
    SessionItem,
)
from service.checkout.session import Session
from service.checkout.settings import PaymentRule
from tests.support.changing import (
    BUYER,
    CALLER,
    HANDBOOK,
    Change,
    ChangingWorld,
    adding,
    customer,
    removing,
    replacing,
    updating,
)
from tests.support.orders import CHECKOUT, REQUEST, raising

ADA = Customer(email="ada@example.org")


def cart(session: Session) -> list[tuple[str, int]]:
    return [(line.product, line.quantity) for line in session.items]


EVERY_CHANGE = {
    "replace": replacing(),
    "replace_customer": customer(email="ada@example.org"),
    "add_item": adding(quantity=3),
    "update_item": updating(quantity=5),
    "remove_item": removing("team-license"),
}
CARTS = {
    "replace": [("handbook", 3)],
    "replace_customer": [("pro-license", 2), ("team-license", 1)],
    "add_item": [("pro-license", 2), ("team-license", 1), ("handbook", 3)],
    "update_item": [("team-license", 1), ("pro-license", 5)],
    "remove_item": [("pro-license", 2)],
}
TWO = replace(REQUEST, items=(*REQUEST.items, Item(product="team-license")))


@pytest.mark.parametrize("name", EVERY_CHANGE)
async def test_each_change(name: str) -> None:
    """The provider is asked once, the record has the cart and the total after it, and the session is unlinked."""
    world = ChangingWorld()
    session = await world.made(TWO)

    await EVERY_CHANGE[name](world, session)

    record = world.record(session)
    assert ["for_one_change", name, "read"] == world.asked()
    assert CARTS[name] == cart(record)
    assert f"{sum(quantity for _, quantity in CARTS[name]) * 10}.00" == (record.total and record.total.amount)
    assert ["minted", "changed"] == [entry.event for entry in record.timeline]
    assert not await world.is_linked(session, TWO)


@pytest.mark.parametrize("name", EVERY_CHANGE)
async def test_provider_without_the_operation(name: str) -> None:
    """A provider whose sessions stay as they are has no change at all, nor does it tell payment methods."""
    world = ChangingWorld()
    session = await world.made(replace(TWO, checkout="fixed"))

    with pytest.raises(UnsupportedByProviderError):
        await EVERY_CHANGE[name](world, session)
    with pytest.raises(UnsupportedByProviderError):
        await world.changes.payment_methods(session)
    assert await world.is_linked(session, replace(TWO, checkout="fixed"))


@pytest.mark.parametrize("changes", [{"checkout": "gone"}, {"upstream": "another"}])
async def test_checkout_that_is_configured_no_more(changes: dict[str, str]) -> None:
    """A session whose checkout is gone, or at another account by now, is over: nobody is asked."""
    world = ChangingWorld()
    session = replace(await world.made(), **changes)

    for change in (EVERY_CHANGE["add_item"], EVERY_CHANGE["remove_item"]):
        with pytest.raises(SessionEndedError):
            await change(world, session)
    with pytest.raises(SessionEndedError):
        await world.changes.payment_methods(session)
    assert [] == world.asked()


async def test_replacement_keeps_what_belongs_to_the_session() -> None:
    """Tags, mode, country and language are sent again; only the new cart and what is named take their place."""
    settings = replace(CHECKOUT, order_tags={"release": "{header:X-Release}"}, lock_quantity=True)
    world = ChangingWorld(settings)
    world.provider.changes = {"country": "AT"}
    buyer = replace(BUYER, trusted_headers={"x-release": "7"})
    request = replace(REQUEST, country="AT", language="fr", order_tags={"desk": "1"}, live=True, coupon="SPRING10")
    session = (await world.service.create(request, buyer)).session

    change = OrderRequest(items=(HANDBOOK,), customer=ADA, order_tags={"clerk": "2"})
    await world.changes.replace(session, change, replace(CALLER, trusted_headers={"x-release": "8"}))

    assert world.editor.calls[1][1] == Order(
        reference=session.reference,
        items=(replace(HANDBOOK, quantity_behavior="lock"),),
        customer=ADA,
        country="AT",
        language="fr",
        live=True,
        order_tags={"release": "7", "desk": "1", "clerk": "2", "broker_ref": session.reference},
    )


async def test_replacement_s_own_country_language_and_mode() -> None:
    """What is named counts, and the payment rule of the new country decides; naming the session's mode is no change."""
    settings = replace(CHECKOUT, payment_methods=(PaymentRule(order=("CARD",)),))
    world = ChangingWorld(settings)
    session = await world.made()

    await replacing(country="us", language="de-AT", live=False, buyer_ip="9.9.9.9")(world, session)

    [order] = [argument for name, argument in world.editor.calls if name == "replace"]
    assert isinstance(order, Order)
    assert ("US", "de", False, "9.9.9.9", ("CARD",)) == (
        order.country,
        order.language,
        order.live,
        order.buyer_ip,
        order.payment_methods_order,
    )


async def test_tags_that_were_added_are_sent_again_too() -> None:
    """A second replacement still carries the tags of the first; the record has them."""
    world = ChangingWorld()
    session = await world.made()

    await replacing(order_tags={"clerk": "2"})(world, session)
    await replacing()(world, session)

    expected = {"clerk": "2", "broker_ref": session.reference}
    orders = [argument for name, argument in world.editor.calls if name == "replace"]
    assert [expected, expected] == [order.order_tags for order in orders if isinstance(order, Order)]
    assert expected == world.record(session).tags


async def test_tag_that_was_not_taken_over_is_a_mismatch() -> None:
    """A replacement is compared with everything that it asked for."""
    world = ChangingWorld()
    session = await world.made()
    world.editor.spoiled = {"tags": session.tags}

    with pytest.raises(UpstreamMismatchError) as caught:
        await replacing(order_tags={"clerk": "2"})(world, session)
    assert ["orderTags.clerk"] == [error.field for error in caught.value.errors]


PRICED = Pricing(price={"EUR": "10.00"})


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        (replacing(items=(replace(HANDBOOK, pricing=PRICED),)), False),
        (replacing(items=(replace(HANDBOOK, pricing=PRICED),), coupon="SPRING10"), True),
        (updating(quantity=3, pricing=PRICED), True),
    ],
    ids=["replaced", "replaced with a coupon", "one item"],
)
async def test_total_of_fixed_prices(change: Change, *, is_taken: bool) -> None:
    """It is compared where nothing else has a say in it; with a coupon, which a buyer may have typed, it is not."""
    world = ChangingWorld()
    session = await world.made()
    await change(world, session)
    world.editor.spoiled = {"total": Money(amount="27.00", currency="EUR", display="27,00 €")}

    if is_taken:
        await change(world, session)
    else:
        with pytest.raises(UpstreamMismatchError):
            await change(world, session)


async def test_buyer_s_own_quantities_stay() -> None:
    """A quantity that the buyer changed in the popup meanwhile is no mismatch, and is in the record."""
    world = ChangingWorld()
    session = await world.made(TWO)
    made = world.provider.sessions[session.session_id]
    lines = (SessionItem(product="pro-license", quantity=7), SessionItem(product="team-license", quantity=1))
    world.provider.sessions[session.session_id] = replace(made, items=lines)

    await adding(quantity=3)(world, session)

    assert [("pro-license", 7), ("team-license", 1), ("handbook", 3)] == cart(world.record(session))


@pytest.mark.parametrize("change", [adding(), updating(), replacing()], ids=["added", "updated", "replaced"])
async def test_quantities_are_locked(change: Change) -> None:
    """Where the checkout locks quantities, a changed line is locked too, and an answer without the lock is seen."""
    world = ChangingWorld(replace(CHECKOUT, lock_quantity=True))
    session = await world.made()

    async def unlock() -> None:
        present = world.provider.sessions[session.session_id]
        lines = tuple(replace(line, locked=False) for line in present.items or ())
        assert lines != present.items
        world.provider.sessions[session.session_id] = replace(present, items=lines)

    world.editor.meanwhile["read"] = unlock
    with pytest.raises(UpstreamMismatchError) as caught:
        await change(world, session)
    assert ["quantityBehavior"] == [error.field.rpartition(".")[2] for error in caught.value.errors]


async def test_no_more_lines_than_the_checkout_allows() -> None:
    """A full cart takes no other product, but another quantity."""
    world = ChangingWorld(replace(CHECKOUT, max_items=2))
    session = await world.made(TWO)

    with pytest.raises(CartNotAllowedError):
        await adding()(world, session)
    await updating(quantity=9)(world, session)
    assert [("team-license", 1), ("pro-license", 9)] == cart(world.record(session))


async def test_payment_methods() -> None:
    """What the buyer is offered comes from the provider, changes nothing, and a failure says whose it is."""
    world = ChangingWorld()
    session = await world.made()

    choice = await world.changes.payment_methods(session)
    assert (["CARD"], ("WIRE",)) == ([one.id for one in choice.payment_methods], choice.hide_payment_methods)
    assert await world.is_linked(session)

    world.editor.meanwhile["payment_methods"] = raising(UpstreamTimeoutError("late"))
    with pytest.raises(UpstreamTimeoutError) as caught:
        await world.changes.payment_methods(session)
    assert "acme" == caught.value.upstream


async def test_line_that_vanished_is_noticed() -> None:
    """A change after which another product is missing is not what was asked for."""
    world = ChangingWorld()
    session = await world.made()
    await world.changes.add_item(session, HANDBOOK)
    world.editor.spoiled = {"items": (SessionItem(product="handbook", quantity=3),)}

    with pytest.raises(UpstreamMismatchError) as caught:
        await world.changes.update_item(session, HANDBOOK)
    assert {"items", "items[0].product"} == {one.field for one in caught.value.errors}


async def test_locked_line_keeps_its_quantity() -> None:
    """Where the buyer cannot have changed a quantity, another one is a mismatch, whatever else was changed."""
    world = ChangingWorld(replace(CHECKOUT, lock_quantity=True))
    session = await world.made()
    line = replace(world.record(session).items[0], locked=True)
    world.sessions.by_reference[session.reference] = replace(world.record(session), items=(line,))
    world.editor.spoiled = {
        "items": (replace(line, quantity=99), SessionItem(product="handbook", quantity=3, locked=True))
    }

    with pytest.raises(UpstreamMismatchError) as caught:
        await world.changes.add_item(session, HANDBOOK)
    assert ["items[0].quantity"] == [one.field for one in caught.value.errors]


async def test_session_of_another_provider_is_over() -> None:
    """A checkout that moved to another provider does not send old ids there."""
    world = ChangingWorld()
    session = replace(await world.made(), provider="another")

    with pytest.raises(SessionEndedError):
        await world.changes.add_item(session, HANDBOOK)
    assert [] == world.asked()


async def test_product_that_is_not_in_the_cart_is_not_replaced() -> None:
    """Replacing is no way around the rules of adding."""
    world = ChangingWorld(replace(CHECKOUT, max_items=1))
    session = await world.made()

    with pytest.raises(CartNotAllowedError):
        await world.changes.update_item(session, HANDBOOK)
    assert [] == world.asked()

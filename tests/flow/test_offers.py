"""The offers of tests/data: real enough, all of them publishable, and every field of the schema in use."""
from support import offers, wire
from support.world import WAIT

SECTORS = {"logistiek", "horeca", "bouw", "techniek", "onderwijs", "detailhandel", "ict", "facilitair", "overheid", "vervoer",
           "voedsel", "zorg", "welzijn"}


def fields_of(descriptor, prefix=""):
    for field in descriptor.fields:
        if field.message_type:
            yield from fields_of(field.message_type, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def used_in(value, prefix=""):
    for name, inner in value.items():
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict):
                yield from used_in(item, f"{prefix}{name}.")
            else:
                yield prefix + name


def test_sixty_offers_half_out_half_in_over_twelve_sectors():
    names = offers.names()
    assert len(names) == 60
    assert sum(name.endswith("-uit") for name in names) == sum(name.endswith("-in") for name in names) == 30
    assert {name.split("-")[0] for name in names} == SECTORS  # care and welfare are one of the twelve
    for name in names:
        kind = offers.load(name)["kind"]
        assert kind.endswith("_out") == name.endswith("-uit"), name
        assert offers.load(name)["private"]["contact"]["email"].endswith(".example"), name


def test_together_they_use_every_field():
    schema = wire.schema("offer")
    known = set(fields_of(schema.Offer.DESCRIPTOR)) | {f"private.{name}" for name in fields_of(schema.OfferPrivate.DESCRIPTOR)}
    used = {name for offer in map(offers.load, offers.names()) for name in used_in(offer)}
    assert used == known


def test_together_they_use_every_value_of_every_choice():
    schema = wire.schema("offer")
    all_offers = [offers.load(name) for name in offers.names()]
    for values, prefix, place in ((schema.OfferKind, "OFFER_KIND_", ("kind",)), (schema.Reason, "REASON_", ("reason",)),
                                  (schema.CostBasis, "COST_BASIS_", ("terms", "cost_basis")),
                                  (schema.Contract, "CONTRACT_", ("terms", "contract")),
                                  (schema.Takeover, "TAKEOVER_", ("terms", "takeover"))):
        used = set()
        for value in all_offers:
            for name in place:
                value = value.get(name, {})
            used.add(value if isinstance(value, str) else None)
        assert {name.removeprefix(prefix).lower() for name in values.keys()} <= used


def test_all_of_them_publish_and_reach_the_other(world_of):
    world = world_of(2)
    author, reader = world.nodes
    ids = author.publish([offers.load(name) for name in offers.names()], "--wait", WAIT)
    assert len(set(ids)) == 60
    while {row["id"] for row in reader.json("offer", "list")["offers"]} != set(ids):
        reader("status")
    for name, identifier in zip(offers.names(), ids):
        row = reader.json("offer", "show", identifier)["offer"]
        wanted = offers.load(name)
        wanted.pop("private")
        assert {key: row[key] for key in wanted} == wanted, name
        assert "private" not in row

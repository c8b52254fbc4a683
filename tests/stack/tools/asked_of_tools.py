"""Servers of different trades, as `tools/list` gives them, and what callers ask: the tool and its arguments, or None.

NOW is a Friday. `None` means that no tool fits; a property's name instead of arguments, that the agent asks for it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
TODAY, TOMORROW = "2026-11-27", "2026-11-28"


def tool(name: str, description: str, required: list[str], /, **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": description, "inputSchema": schema}


def text(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def whole(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "integer", "description": description, **more}


RESTAURANT = [
    tool(
        "table_is_free",
        "Says whether a table is free on a day.",
        ["table"],
        table=whole("The table's number, 1 to 12", minimum=1, maximum=12),
        date=text("The day, as YYYY-MM-DD; by default today"),
    ),
    tool(
        "reserve_table",
        "Reserve a table for a party.",
        ["party_size", "date", "time", "name"],
        party_size=whole("How many people", minimum=1, maximum=20),
        date=text("The day", format="date"),
        time=text("The time of day, HH:MM"),
        name=text("The name for the reservation"),
        outside={"type": "boolean", "description": "In the garden"},
    ),
]
WEATHER = [
    tool(
        "get-forecast",
        "Get the weather forecast for a city.",
        ["city"],
        city=text("Name of the city"),
        days=whole("Number of days to forecast", minimum=1, maximum=14),
        units=text("Units of the temperature", enum=["celsius", "fahrenheit"]),
    )
]
SHOP = [
    tool(
        "getOrderStatus",
        "Look up where an order is and when it will be delivered.",
        ["orderId"],
        orderId=text("The number of the order"),
    ),
    tool(
        "search_products",
        "Search the catalogue for products, with price and stock.",
        ["query"],
        query=text("What to search for"),
        max_price={"type": "number", "description": "Highest price in euros", "minimum": 0},
        in_stock={"type": "boolean", "description": "Only products in stock"},
    ),
]
DENTIST = [
    tool(
        "find_slots",
        "Find free appointment slots at the practice.",
        ["treatment"],
        treatment=text("The kind of treatment", enum=["check-up", "cleaning", "filling", "emergency"]),
        on=text("The date, YYYY-MM-DD"),
        dentist=text("Which dentist", enum=["Dr Meyer", "Dr Okafor"]),
    ),
    tool(
        "cancel_appointment",
        "Cancel an appointment of a patient.",
        ["patient_name", "appointment_date"],
        patient_name=text("Full name of the patient"),
        appointment_date=text("The date of the appointment", format="date"),
    ),
]
HOME = [
    tool(
        "set_thermostat",
        "Set the temperature of a room's heating.",
        ["room", "temperature"],
        room=text("The room", enum=["living_room", "bedroom", "kitchen"]),
        temperature={"type": "number", "description": "Degrees Celsius", "minimum": 5, "maximum": 30},
    ),
    tool(
        "switch_light",
        "Turn a light on or off.",
        ["room", "on"],
        room=text("The room", enum=["living_room", "bedroom", "kitchen"]),
        on={"type": "boolean", "description": "True to turn it on"},
    ),
]
LIBRARY = [
    tool(
        "book_available",
        "Check whether the library has a book available to borrow.",
        ["title"],
        title=text("Title of the book"),
        author=text("Its author"),
    ),
    tool(
        "renew_loans",
        "Renew all loans of a member.",
        ["card_number"],
        card_number=text("The number on the library card"),
        weeks=whole("For how many weeks", minimum=1, maximum=6),
    ),
]
TRAINS = [
    tool(
        "find_trains",
        "Find trains between two stations.",
        ["origin", "destination"],
        origin=text("Station of departure"),
        destination=text("Station of arrival"),
        departure=text("When to leave", format="date-time"),
        passengers=whole("Number of passengers", minimum=1, maximum=9),
        first_class={"type": "boolean"},
    )
]
GYM = [
    tool(
        "list_classes",
        "Lists the fitness classes of a day, with their times and free places.",
        [],
        day=text("Day of the week or date"),
        kind=text("Kind of class", enum=["yoga", "pilates", "spinning", "boxing"]),
    ),
    tool(
        "book_class",
        "Books a place in a fitness class for a member.",
        ["kind", "date", "member_number"],
        kind=text("Kind of class", enum=["yoga", "pilates", "spinning", "boxing"]),
        date=text("Date of the class", format="date"),
        member_number=text("The member's number"),
    ),
]
HOTEL = [
    tool(
        "check_availability",
        "Check which rooms are available and what they cost per night.",
        ["check_in", "nights"],
        check_in=text("Date of arrival", format="date"),
        nights=whole("How many nights", minimum=1, maximum=30),
        guests=whole("Number of guests", minimum=1, maximum=6),
        breakfast={"type": "boolean", "description": "With breakfast"},
    ),
    tool(
        "request_housekeeping",
        "Ask housekeeping to bring something to a room.",
        ["room_number", "item"],
        room_number=whole("Number of the room", minimum=100, maximum=599),
        item=text("What to bring", enum=["towels", "pillow", "water", "iron"]),
    ),
]
FLIGHTS = [
    tool(
        "flight_status",
        "Tells whether a flight is on time, its gate and terminal.",
        ["flight_number"],
        flight_number=text("Flight number, such as LH123"),
        date=text("Date of the flight, YYYY-MM-DD"),
    ),
    tool(
        "add_note",
        "Adds a note to the passenger's record.",
        ["text"],
        text=text("The text of the note"),
    ),
]
SERVERS: dict[str, list[dict[str, Any]]] = {
    "restaurant": RESTAURANT,
    "weather": WEATHER,
    "shop": SHOP,
    "dentist": DENTIST,
    "home": HOME,
    "library": LIBRARY,
    "trains": TRAINS,
    "gym": GYM,
    "hotel": HOTEL,
    "flights": FLIGHTS,
}

# The rules and limits were tuned on these.
Asked = tuple[str, str | None, dict[str, Any] | str]
TUNED: dict[str, list[Asked]] = {
    "restaurant": [
        ("Is table four free tonight?", "table_is_free", {"table": 4, "date": TODAY}),
        ("is table 12 free tomorrow", "table_is_free", {"table": 12, "date": TOMORROW}),
        (
            "I'd like to reserve a table for two, tomorrow at seven, under the name Smith.",
            "reserve_table",
            {"party_size": 2, "date": TOMORROW, "time": "19:00", "name": "Smith"},
        ),
        (
            "Please book a table outside for six people on Friday at half past eight in the evening. I'm Ann Lee.",
            "reserve_table",
            {"party_size": 6, "date": TODAY, "time": "20:30", "name": "Ann Lee", "outside": True},
        ),
        ("Is a table free tonight?", "table_is_free", "table"),
        ("What kind of music do you play?", None, {}),
        ("Can I bring my dog?", None, {}),
        ("Do you serve alcohol?", None, {}),
    ],
    "weather": [
        ("What's the weather in Paris?", "get-forecast", {"city": "Paris"}),
        ("Give me the forecast for New York for the next three days.", "get-forecast", {"city": "New York", "days": 3}),
        (
            "What will the weather in Oslo be like, in Fahrenheit?",
            "get-forecast",
            {"city": "Oslo", "units": "fahrenheit"},
        ),
        ("What is the capital of France?", None, {}),
        ("Who won the match in London?", None, {}),
    ],
    "shop": [
        ("Where is my order 48213?", "getOrderStatus", {"orderId": "48213"}),
        ("What is the status of order number four eight two one?", "getOrderStatus", {"orderId": "4821"}),
        (
            "Do you have products like a blue kettle for under 50 euros?",
            "search_products",
            {"query": "blue kettle", "max_price": 50},
        ),
        ("Search for running shoes.", "search_products", {"query": "running shoes"}),
        ("Where is my order?", "getOrderStatus", "orderId"),
        ("What are your opening hours?", None, {}),
        ("Can I speak to a manager?", None, {}),
    ],
    "dentist": [
        (
            "Do you have a free appointment for a cleaning on Monday?",
            "find_slots",
            {"treatment": "cleaning", "on": "2026-11-30"},
        ),
        (
            "I need a filling. When is the next slot with Dr Meyer?",
            "find_slots",
            {"treatment": "filling", "dentist": "Dr Meyer"},
        ),
        (
            "Please cancel the appointment of Peter Lind on the 3rd of December.",
            "cancel_appointment",
            {"patient_name": "Peter Lind", "appointment_date": "2026-12-03"},
        ),
        ("I want to cancel my appointment tomorrow.", "cancel_appointment", "patient_name"),
        ("Do you take my insurance?", None, {}),
        ("Is there parking?", None, {}),
    ],
    "home": [
        ("Set the living room to twenty one degrees.", "set_thermostat", {"room": "living_room", "temperature": 21}),
        ("Turn off the light in the kitchen, please.", "switch_light", {"room": "kitchen", "on": False}),
        ("Turn the bedroom light on.", "switch_light", {"room": "bedroom", "on": True}),
        ("How much is the rent?", None, {}),
        ("What's on television in the bedroom?", None, {}),
    ],
    "library": [
        ("Do you have the book Dune by Frank Herbert?", "book_available", {"title": "Dune", "author": "Frank Herbert"}),
        ('Is the book "The Lord of the Rings" available?', "book_available", {"title": "The Lord of the Rings"}),
        ("Please renew my loans, my card number is 7 7 1 2.", "renew_loans", {"card_number": "7712"}),
        ("Is there a toilet?", None, {}),
        ("How old is the building?", None, {}),
    ],
    "trains": [
        ("Are there any trains from Berlin to Hamburg?", "find_trains", {"origin": "Berlin", "destination": "Hamburg"}),
        (
            "I need a train from Leeds to York tomorrow at 9 am for two passengers.",
            "find_trains",
            {"origin": "Leeds", "destination": "York", "departure": "2026-11-28T09:00:00+00:00", "passengers": 2},
        ),
        ("Is the restaurant car open?", None, {}),
        ("Can I take my bicycle?", None, {}),
    ],
}
# Three more trades, written after the rules: 19 of 22 were right at once, the others led to nothing wrong being called
# but one flight's number without its letters. 21 are right since codes with a space and questions by meaning are.
HELD_OUT: dict[str, list[Asked]] = {
    "gym": [
        ("Which yoga classes are there on Monday?", "list_classes", {"day": "on Monday", "kind": "yoga"}),
        ("What classes do you have today?", "list_classes", {"day": "today"}),
        (
            "Please book me into the boxing class on Tuesday, my member number is 5 5 0 1.",
            "book_class",
            {"kind": "boxing", "date": "2026-12-01", "member_number": "5501"},
        ),
        ("Can you book me a place in the spinning class tomorrow?", "book_class", "member_number"),
        ("How much is a membership?", None, {}),
        ("Do you have lockers?", None, {}),
        ("Is there a sauna?", None, {}),
    ],
    "hotel": [
        (
            "Do you have a room available from the 5th of December for three nights for two people?",
            "check_availability",
            {"check_in": "2026-12-05", "nights": 3, "guests": 2},
        ),
        (
            "Are rooms available on December 20 for 2 nights with breakfast?",
            "check_availability",
            {"check_in": "2026-12-20", "nights": 2, "breakfast": True},
        ),
        ("What do your rooms cost per night tomorrow?", "check_availability", "nights"),
        (
            "Could you bring towels to room three hundred and twelve?",
            "request_housekeeping",
            {"item": "towels", "room_number": 312},
        ),
        (
            "Can housekeeping bring an iron to room 204, please?",
            "request_housekeeping",
            {"item": "iron", "room_number": 204},
        ),
        ("When is breakfast served?", None, {}),
        ("Where can I park my car?", None, {}),
        ("Is the pool heated?", None, {}),
    ],
    "flights": [
        ("Is flight LH 123 on time today?", "flight_status", {"flight_number": "LH123", "date": TODAY}),
        (
            "Please add a note saying that I need a wheelchair.",
            "add_note",
            {"text": "I need a wheelchair"},
        ),
        ("Is my flight on time?", "flight_status", "flight_number"),
        ("Can I take two suitcases?", None, {}),
        ("How do I get to the airport?", None, {}),
        ("What food is there on board?", None, {}),
    ],
}

GAPS = [("flights", "What gate does BA2490 leave from?", "flight_status")]

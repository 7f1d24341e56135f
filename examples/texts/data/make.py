"""Write texts.csv: messages to the support of a shop, made of phrases and a fixed seed. No person wrote any of them."""

import csv
import random
from pathlib import Path

ROWS = 400
TOPICS = {
    "billing": [
        "I was charged twice for {thing}",
        "the invoice from {day} shows the wrong amount",
        "my card was declined although there is money on it",
        "please send me a receipt for {thing}",
        "the discount of {number} percent is missing on my bill",
        "you took {number} euros too much",
        "when do I get my money back for {thing}",
        "I want to pay by bank transfer and cannot find where",
        "the tax number on the invoice is wrong",
        "I cancelled on {day} and was still charged",
        "why is there a fee of {number} euros",
        "the refund for {thing} has not arrived on my account",
    ],
    "delivery": [
        "{thing} has not arrived yet",
        "the parcel was left in the rain on {day}",
        "the driver did not ring and left again",
        "tracking says delivered but there is nothing here",
        "can {thing} be sent to another address",
        "the box was open when it came on {day}",
        "I waited at home all {day} and nobody came",
        "which carrier brings {thing}",
        "the shipment has been stuck for {number} days",
        "you sent {thing} to my old address",
        "please deliver after {day} because we are away",
        "only {number} of the boxes came",
    ],
    "account": [
        "I cannot log in since {day}",
        "the password reset mail never comes",
        "please change my mail address",
        "my account was locked after {number} attempts",
        "how do I delete my account and all my data",
        "the code for signing in is always wrong",
        "somebody else seems to use my account",
        "I have two accounts and want only one",
        "my name is misspelled in the profile",
        "since {day} the app wants a new password every time",
        "how do I turn off the newsletter",
        "I no longer have the phone that gets the codes",
    ],
    "fault": [
        "{thing} stopped working after {number} days",
        "{thing} makes a strange noise",
        "the screen of {thing} stays black",
        "a screw of {thing} was missing in the box",
        "{thing} gets very hot and smells burnt",
        "the battery of {thing} is empty after an hour",
        "I cannot get {thing} to connect",
        "the handle of {thing} broke on {day}",
        "{thing} leaks when it is full",
        "the manual does not say how to reset {thing}",
        "{thing} switches itself off every {number} minutes",
        "the color of {thing} comes off",
    ],
}
THINGS = ["the kettle", "my new phone", "the lamp", "the chair", "the printer", "the coffee machine"]
DAYS = ["Monday", "Tuesday", "Thursday", "Saturday", "the 3rd of March"]
OPENINGS = ["Hello,", "Dear team,", "Good morning,", "Hi!", "To whom it may concern:"]
CLOSINGS = ["Thank you.", "Kind regards", "Please answer soon.", "This is my second message.", "What now?"]
ASIDES = 0.25  # share of the messages that also mention something of another topic


def main() -> None:
    chance = random.Random(2026)
    rows = [message(chance) for _ in range(ROWS)]
    with (Path(__file__).parent / "texts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["channel", "text", "topic"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def message(chance: random.Random) -> dict[str, str]:
    """A mail with greetings, or a short line of a chat."""
    topic, channel = chance.choice(list(TOPICS)), chance.choice(["mail", "chat"])
    text = phrase(chance, topic)
    if chance.random() < ASIDES:
        other = chance.choice([name for name in TOPICS if name != topic])
        text += f", and by the way {phrase(chance, other)}"
    if channel == "mail":
        text = f"{chance.choice(OPENINGS)} {text[0].upper()}{text[1:]}. {chance.choice(CLOSINGS)}"
    return {"channel": channel, "text": text, "topic": topic}


def phrase(chance: random.Random, topic: str) -> str:
    """One phrase of a topic with its blanks filled in."""
    return chance.choice(TOPICS[topic]).format(
        thing=chance.choice(THINGS), day=chance.choice(DAYS), number=chance.randint(2, 40)
    )


if __name__ == "__main__":
    main()

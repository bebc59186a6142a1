"""Texts that a reseller puts on its own site and into its own mail (S38). Prices are the reseller's to fill in."""

from chalicelib.rules.figures import MB, Figures
from chalicelib.rules.hosted import Brand
from chalicelib.services.kit.blocks import Block, Head, Para, Points

PRICE = "[your price]"


def web(b: Brand, figures: Figures) -> list[Block]:
    """A product page."""
    imap = "POP3, IMAP and SMTP" if figures.imap_open else "POP3 and SMTP"
    return [
        Para(
            f"{b.product} gives your domain mailboxes that work everywhere: in the browser, on the phone, in the mail program you like."
        ),
        Head("What you get"),
        Points(
            [
                f"Mailboxes from {figures.base_storage_mb} MB, to be enlarged at any time to {figures.max_storage_mb:,} MB.",
                f"Webmail in every current browser, and {imap} with encryption for mail programs.",
                f"Messages up to {figures.max_message_bytes // MB} MB, attachments included.",
                "Viruses kept out and spam sorted into its own folder.",
                "Aliases, forwards, mailing lists, automatic replies and a catch-all, managed by you.",
                "A second factor at log-in for whoever wants one.",
                "Deleted messages that can be brought back for 14 days.",
            ]
        ),
        Head("What it costs"),
        Para(
            f"{PRICE} per mailbox and month. More storage: {PRICE} per {figures.storage_step_mb} MB and month. Aliases and lists are free."
        ),
        Head("How to move"),
        Points(
            [
                "Order the mailboxes. Nothing changes yet: your mail goes on arriving where it does today.",
                "Publish the DNS records that we give you.",
                "As soon as the MX record is seen, within an hour, mail arrives in the new mailboxes.",
            ],
            "ol",
        ),
    ]


def faq(b: Brand, figures: Figures) -> list[Block]:
    """Questions and answers for end users."""
    pairs = [
        (
            "When does my domain go live?",
            "As soon as its MX record points to us and is visible in the DNS; we look at least twice an hour. Until then nothing arrives here, and nobody can log in.",
        ),
        (
            "Why can't I log in?",
            "Either the domain is not live yet, or the address or password is wrong, or the mailbox is suspended; the message says which. After ten wrong passwords please wait a quarter of an hour.",
        ),
        (
            "I forgot my password.",
            "Choose Forgotten password at log-in: a link goes to the recovery address of the mailbox. If none is set, your email administrator or we can set a new one.",
        ),
        (
            "My mailbox is nearly full.",
            "From 80 % you are told at log-in, from 90 % by a message a day. Delete what you don't need, the trash included, or ask us for more storage: it counts at once.",
        ),
        (
            "What happens when it is full?",
            "New messages are refused and their senders told. Webmail stays open for reading and deleting.",
        ),
        (
            "How large may a message be?",
            f"{figures.max_message_bytes // MB} MB with everything in it. Attachments grow by a third when they are sent, so some 18 MB of files fit.",
        ),
        (
            "To how many people can I write at once?",
            f"To {figures.max_recipients}. A mailing list of your own domain counts as one.",
        ),
        (
            "I deleted something by mistake.",
            "It is in the trash until you empty it, and can be brought back for 14 days after that.",
        ),
        (
            "Somebody did not get my message.",
            "A message that cannot be delivered at once is tried for three days. Then you get a report that names each recipient and the reason.",
        ),
        ("Can I use a mail program and webmail together?", "Yes. They show the same mailbox."),
    ]
    blocks: list[Block] = [Para(f"What people ask about {b.product}.")]
    for question, answer in pairs:
        blocks += [Head(question), Para(answer)]
    return blocks


def welcome(b: Brand, _figures: Figures) -> list[Block]:
    """A first message to a new customer."""
    return [
        Para(f"Subject: Your {b.product} mailboxes"),
        Para("Hello [name],"),
        Para(f"your mailboxes with {b.product} are ordered. To start using them:"),
        Points(
            [
                "Publish the DNS records below for [domain].",
                "Within an hour of that, mail arrives in the new mailboxes and log-in is open.",
                "Read your mail at https://mail.[domain], or set up your mail program: https://mail.[domain]/v1/setup/thunderbird",
            ],
            "ol",
        ),
        Para("[the DNS records]"),
        Para(f"Questions? Write to {b.support_email or '[your support address]'}."),
    ]


def offer(b: Brand, figures: Figures) -> list[Block]:
    """A message that offers the service."""
    return [
        Para(f"Subject: Mailboxes for your own domain, from {b.product}"),
        Para("Hello [name],"),
        Para(
            f"you have a domain; now write from it. {b.product} gives you mailboxes at your own name, from {PRICE} a month, with webmail, spam and virus protection and room for {figures.base_storage_mb} to {figures.max_storage_mb:,} MB of mail each."
        ),
        Para("Moving is safe: you order first, and mail moves only when you change one DNS record."),
        Para("[your link]"),
    ]


def more_room(b: Brand, figures: Figures) -> list[Block]:
    """A message to someone whose mailbox is nearly full."""
    return [
        Para(f"Subject: More room for your {b.product} mailbox"),
        Para("Hello [name],"),
        Para("your mailbox [address] is nearly full. When it is, new messages are refused."),
        Para(
            f"Each {figures.storage_step_mb} MB more costs {PRICE} a month and counts at once. Shall we add some?"
        ),
    ]

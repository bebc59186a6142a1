"""Set-up pages for the usual mail clients, with the hosts of the domain (S38)."""

from collections.abc import Callable, Mapping

from chalicelib.services.clientsetup import Server, Setup
from chalicelib.services.kit.blocks import Block, Head, Para, Points, Values

TLS = {"imap": "SSL/TLS", "pop3": "SSL/TLS", "smtp": "SSL/TLS"}
NAMES = {"imap": "IMAP", "pop3": "POP3", "smtp": "SMTP"}


def values(s: Setup) -> list[Block]:
    """What every client asks for."""
    blocks: list[Block] = [Head("The settings")]
    for server in s.incoming:
        blocks.append(Values(_rows(f"Incoming mail ({NAMES[server.kind]})", server)))
    blocks.append(Values(_rows("Outgoing mail (SMTP)", s.servers[-1])))
    blocks.append(
        Values(
            [
                ("User name", f"the whole address, as anna@{s.domain}"),
                ("Password", "the mailbox's; with a second factor, an app password made in webmail"),
            ]
        )
    )
    return blocks


def _rows(what: str, server: Server) -> list[tuple[str, str]]:
    return [(what, server.host), ("Port", str(server.port)), ("Security", TLS[server.kind])]


def _account(s: Setup) -> str:
    """What to choose where a client asks for the kind of account."""
    return NAMES[s.incoming[0].kind]


def thunderbird(s: Setup) -> list[Block]:
    """Mozilla Thunderbird finds the settings by itself."""
    return [
        Para("Thunderbird finds the settings of your domain by itself."),
        Points(
            [
                "Open the menu and choose New account, then Email.",
                f"Enter your name, your address (as anna@{s.domain}) and your password, then Continue.",
                f"Thunderbird shows the settings that it found. Keep {_account(s)} and choose Done.",
            ],
            "ol",
        ),
        Para("If it finds none, choose to configure by hand and enter the settings below."),
        *values(s),
    ]


def outlook(s: Setup) -> list[Block]:
    """Microsoft Outlook, on Windows and Mac."""
    return [
        Points(
            [
                "Choose File, then Add account. On a Mac: Tools, Accounts, and the plus sign.",
                f"Enter your address (as anna@{s.domain}). If you are asked, let Outlook set the account up.",
                f"If Outlook asks for the kind of account, choose {_account(s)} and enter the settings below.",
                "Enter your password and choose Connect.",
            ],
            "ol",
        ),
        *values(s),
        Para("The port of outgoing mail is 465 with SSL/TLS. Outlook may suggest 25 or 587: change it."),
    ]


def apple_mail(s: Setup) -> list[Block]:
    """Apple Mail on a Mac."""
    return [
        Points(
            [
                "Open Mail and choose Add Account from the Mail menu, then Other Mail Account.",
                f"Enter your name, your address (as anna@{s.domain}) and your password, then Sign In.",
                f"If Mail says that it cannot verify the account, choose {_account(s)} and enter the hosts below.",
                "Choose Mail and finish with Done.",
            ],
            "ol",
        ),
        *values(s),
    ]


def ios(s: Setup) -> list[Block]:
    """iPhone and iPad."""
    return [
        Para(
            "The quickest way: open this address on the device, with your own address at its end, and install"
            f" the profile in Settings: https://mail.{s.domain}/v1/setup/profile?address=anna@{s.domain}"
        ),
        Head("By hand"),
        Points(
            [
                "Open Settings, then Apps, Mail, Mail Accounts, Add Account, and choose Other.",
                "Choose Add Mail Account and enter name, address and password.",
                f"Choose {_account(s)} at the top and enter the hosts below for incoming and outgoing mail.",
                "Choose Next, then Save.",
            ],
            "ol",
        ),
        *values(s),
    ]


def android(s: Setup) -> list[Block]:
    """Android, by Gmail's app or another."""
    return [
        Points(
            [
                "Open the mail app's settings, choose Add account, then Other.",
                f"Enter your address (as anna@{s.domain}) and choose {_account(s)}.",
                "Enter your password and the incoming host below; security is SSL/TLS.",
                "Enter the outgoing host below, with the same user name and password.",
            ],
            "ol",
        ),
        *values(s),
    ]


def other(s: Setup) -> list[Block]:
    """Any other client."""
    return [Para("Any client for internet mail works with these settings."), *values(s)]


#: Name in addresses → title and page.
CLIENTS: Mapping[str, tuple[str, Callable[[Setup], list[Block]]]] = {
    "thunderbird": ("Setting up Thunderbird", thunderbird),
    "outlook": ("Setting up Outlook", outlook),
    "apple-mail": ("Setting up Apple Mail", apple_mail),
    "ios": ("Setting up iPhone and iPad", ios),
    "android": ("Setting up Android", android),
    "other": ("Settings for any mail client", other),
}

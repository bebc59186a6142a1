"""S8: which records, and which published ones will do."""

import pytest

from chalicelib.rules.dnsrecords import Hosts, Judgement, Wanted, judge, judge_mx, longest_domain, wanted

HOSTS = Hosts("emailmx.test", "web.emailmx.test", "admin.emailmx.test")
OURS = "inbound.x.test.emailmx.test."


def records(gate: bool = True) -> dict[str, Wanted]:
    """Records by purpose; of the DKIM ones the last."""
    return {w.purpose: w for w in wanted("x.test", HOSTS, ("t1", "t2"), "dkim.amazonses.com", gate)}


def test_S8_every_record_that_a_domain_needs() -> None:
    found = {(w.name, w.type, w.value) for w in wanted("x.test", HOSTS, ("t1",), "dkim.amazonses.com", True)}
    assert found == {
        ("x.test", "MX", f"10 {OURS}"),
        ("t1._domainkey.x.test", "CNAME", "t1.dkim.amazonses.com."),
        ("x.test", "TXT", "v=spf1 include:amazonses.com ~all"),
        ("_dmarc.x.test", "TXT", "v=DMARC1; p=none"),
        ("mail.x.test", "CNAME", "web.emailmx.test."),
        ("emailadmin.x.test", "CNAME", "admin.emailmx.test."),
        ("imap.x.test", "CNAME", "imap.x.test.emailmx.test."),
        ("autoconfig.x.test", "CNAME", "web.emailmx.test."),
        ("autodiscover.x.test", "CNAME", "web.emailmx.test."),
    }


def test_S4_activation_waits_for_the_mx_and_on_ses_for_dkim() -> None:
    assert {p for p, w in records(gate=True).items() if w.required} == {"mx", "dkim"}
    assert {p for p, w in records(gate=False).items() if w.required} == {"mx"}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([f"10 {OURS}"], "ok"),
        ([f"0 {OURS.upper()}"], "ok"),
        ([f"10 {OURS.rstrip('.')}"], "ok"),
        ([f"10 {OURS}", "20 backup.else.test."], "ok"),
        ([f"10 {OURS}", "10 twin.else.test."], "ok"),
        ([f"20 {OURS}", "10 mx.else.test."], "wrong"),
        (["10 mx.else.test."], "wrong"),
        (["10 inbound.y.test.emailmx.test."], "wrong"),
        (["0 ."], "wrong"),
        ([], "missing"),
    ],
)
def test_S4_our_mx_must_be_where_mail_is_sent_first(values: list[str], verdict: Judgement) -> None:
    assert judge_mx(OURS, values) == verdict


@pytest.mark.parametrize(
    ("purpose", "values", "verdict"),
    [
        ("webmail", ["WEB.emailmx.test."], "ok"),
        ("webmail", ["mail.x.test.emailmx.test."], "ok"),
        ("webmail", ["elsewhere.test."], "wrong"),
        ("dkim", ["t2.dkim.amazonses.com."], "ok"),
        ("dkim", ["t1.dkim.amazonses.com."], "wrong"),
        ("spf", ["v=spf1 include:amazonses.com ~all"], "ok"),
        ("spf", ["google-site-verification=1", "v=spf1 mx include:AmazonSES.com include:b.test -all"], "ok"),
        ("spf", ["v=spf1 -all"], "wrong"),
        ("spf", ["v=spf1 include:amazonses.com -all", "v=spf1 mx -all"], "wrong"),
        ("spf", ["v=spf10 include:amazonses.com", "hello"], "missing"),
        ("dmarc", ["v=DMARC1; p=none"], "ok"),
        ("dmarc", ["v=DMARC1;p=reject;rua=mailto:a@b.test"], "ok"),
        ("dmarc", ["v=DMARC1; rua=mailto:a@b.test"], "wrong"),
        ("dmarc", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "wrong"),
        ("dmarc", ["v=spf1 -all"], "missing"),
    ],
)
def test_S8_records_are_judged_by_what_they_do(purpose: str, values: list[str], verdict: Judgement) -> None:
    assert judge(records()[purpose], "ok", values) == verdict


@pytest.mark.parametrize("purpose", ["mx", "dkim", "spf", "dmarc", "webmail"])
def test_S7_a_failed_lookup_proves_nothing(purpose: str) -> None:
    assert judge(records()[purpose], "failed", []) == "unknown"
    assert judge(records()[purpose], "nxdomain", []) == "missing"
    assert judge(records()[purpose], "nodata", []) == "missing"


def test_the_longest_domain_still_makes_names_that_dns_can_carry() -> None:
    domain = "d" * longest_domain("emailmx.test")
    names = [w.name for w in wanted(domain, HOSTS, ("t" * 32,), "z.test", True)]
    names += [w.value.split()[-1].rstrip(".") for w in wanted(domain, HOSTS, (), "z.test", True)]
    assert max(map(len, names)) == 253

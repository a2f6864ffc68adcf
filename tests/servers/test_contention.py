"""What another transaction came between is run again, whole: one effect, one row of the audit log, one answer."""

import threading

import httpx
import pytest

from patchbay import stores

# The first of so many attempts fail as the server itself fails a transaction that cannot be serialised with another one. A
# sequence counts, since its numbers are not taken back with the transaction.
FAIL = """
CREATE SEQUENCE public.attempts;
CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.operation = 'accounts.create' AND nextval('public.attempts') <= {times} THEN
        RAISE EXCEPTION 'could not serialize access due to read/write dependencies among transactions' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END; $$;
CREATE TRIGGER fail BEFORE INSERT ON patchbay.{table} FOR EACH ROW EXECUTE FUNCTION public.fail();
"""

postgres = pytest.mark.parametrize("installation", [one for one in stores() if one == "postgres"], indirect=True)


class Api:
    def __init__(self, url, token):
        self.client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60)

    def __call__(self, method, path, body=None):
        return self.client.request(method, path, json=body)

    def audit(self, operation):
        rows = self("GET", "/v1/audit/organizations?limit=1000").json()["result"]
        return [row["code"] for row in rows if row["x_patchbay"]["operation"] == operation]


def audit_table(installation):
    return installation.cluster.sql("SELECT relname FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind = 'r' AND relname LIKE 'audit%' ORDER BY 1 LIMIT 1", installation.database)


@postgres
def test_a_failed_serialisation_is_run_again_and_seen_by_nobody(installation, fleet, token):
    servers = fleet(1)
    api = Api(servers.url, token)
    installation.cluster.sql(FAIL.format(times=3, table=audit_table(installation)), installation.database)
    answer = api("POST", "/v1/accounts", {"name": "stubborn"})
    assert answer.status_code == 201, answer.text
    assert installation.cluster.sql("SELECT last_value FROM public.attempts", installation.database) == "4", "three attempts failed, the fourth did it"
    assert api.audit("accounts.create") == ["201"], "one row"
    assert len(api("GET", "/v1/accounts").json()["result"]) == 1


@postgres
def test_what_never_gets_through_is_given_up_with_nothing_left(installation, fleet, token):
    servers = fleet(1)
    api = Api(servers.url, token)
    installation.cluster.sql(FAIL.format(times=1000, table=audit_table(installation)), installation.database)
    answer = api("POST", "/v1/accounts", {"name": "hopeless"})
    assert answer.status_code == 503 and answer.json()["code"] == "store_busy", answer.text
    assert int(answer.headers["retry-after"]) > 0
    attempts = int(installation.cluster.sql("SELECT last_value FROM public.attempts", installation.database))
    assert attempts >= 8, attempts
    assert api("GET", "/v1/accounts").json()["result"] == []


def test_many_writers_of_one_object_on_two_servers(fleet, token):
    servers = fleet(2)
    api = Api(servers.url, token)
    account = api("POST", "/v1/accounts", {"name": "popular"}).json()["result"]["account"]
    statuses, given = [], []

    def write(writer):
        mine = Api(servers.url, token)
        for turn in range(8):
            fullname = f"Writer {writer} turn {turn}"
            answer = mine("PUT", f"/v1/accounts/{account['id']}", {"fullname": fullname, "environment": "prod"})
            statuses.append(answer.status_code)
            if answer.status_code == 200:
                given.append(fullname)
                assert answer.json()["result"]["fullname"] == fullname, "the answer is that of the own change"

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}, "somebody else's change at the same time is nobody's mistake"
    assert statuses.count(200) >= 0.9 * len(statuses), statuses
    assert api.audit("accounts.update").count("200") == len(given), "each change has one row, and nothing else has"
    assert api("GET", f"/v1/accounts/{account['id']}").json()["result"]["fullname"] in given

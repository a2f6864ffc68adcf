"""A server goes on working while a newer one has already brought the database up to date (README, "Many servers")."""

import httpx
import pytest

from patchbay import stores

# What a migration of the next release may do: add.
NEXT = """
ALTER TABLE patchbay.accounts ADD COLUMN nickname text;
ALTER TABLE patchbay.integration_instances ADD COLUMN region text NOT NULL DEFAULT 'eu';
CREATE TABLE patchbay.future_things (id uuid PRIMARY KEY, organization_id uuid NOT NULL);
CREATE INDEX accounts_nickname ON patchbay.accounts (nickname);
INSERT INTO patchbay._sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'next release', true, '\\x00', 1);
"""


@pytest.mark.parametrize("installation", [one for one in stores() if one == "postgres"], indirect=True)
def test_a_server_runs_on_the_next_release_s_schema_until_that_one_says_otherwise(installation, fleet, token):
    servers = fleet(1)
    client = httpx.Client(base_url=servers.url, headers={"authorization": f"Bearer {token}"}, timeout=60)

    def works(name):
        made = client.post("/v1/accounts", json={"name": name})
        assert made.status_code == 201, made.text
        account = made.json()["result"]["account"]["id"]
        made = client.post(f"/v1/integrations/{account}", json={"name": "tickets", "provider_config": {"type": "ticketing_mock_ticketing"}})
        assert made.status_code == 201, made.text
        assert client.get(f"/v1/accounts/{account}").status_code == 200
        assert client.delete(f"/v1/accounts/{account}").status_code == 204

    works("before")
    installation.cluster.sql(NEXT, installation.database)
    works("while-it-runs")
    assert servers.restart(0) == 0
    works("started-on-it")
    assert installation.run("store verify", "--output", "json").returncode == 0

    installation.cluster.sql("UPDATE patchbay.store_header SET minimum_reader = 9999", installation.database)
    refused = installation.run("store verify", "--output", "json", check=False)
    assert refused.returncode == 1 and '"store_newer"' in refused.stdout, refused.stdout + refused.stderr

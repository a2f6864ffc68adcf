//! The same on PostgreSQL, under row-level security and with a hundred thousand rows: policies cost a comparison per row that
//! is read, and never an index.

use patchbay_model::list::{Filter, ListQuery, Order};
use patchbay_model::{AccountId, OrganizationId, PostgresUrl, Scope};
use uuid::Uuid;

use super::{Condition, Noun, Prepared};
use crate::db::{self, QueryBuilder, Tx};
use crate::dialect::Dialect;
use crate::server::{PostgresAddress, Server};

#[path = "../../tests/suite/cluster.rs"]
mod cluster;
use cluster::{ADMINISTRATOR, Cluster, LOGIN, MANAGEMENT_LOGIN, SVC_LOGIN};

const ORGANIZATION: Uuid = Uuid::from_u128(1);

/// Two organizations: ours with most of the rows, another one with the rest. References are not looked at while it is filled.
const FILL: &str = "
SET session_replication_role = replica;
INSERT INTO patchbay.organizations (id, name, fullname, refresh_token_id, options, created_at, updated_at)
    SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'o' || n, 'O', gen_random_uuid(), '{}', now(), now() FROM generate_series(1, 2) AS n;
INSERT INTO patchbay.accounts (id, organization_id, name, fullname, environment, labels, external_id, created_at, updated_at)
    SELECT ('00000000-0000-0000-0001-' || lpad(to_hex(n), 12, '0'))::uuid, ('00000000-0000-0000-0000-' || lpad(CASE WHEN n % 10 = 0 THEN '2' ELSE '1' END, 12, '0'))::uuid, 'a' || n, 'A', 'test', '[]', 'a' || n, now() + n * interval '1 s', now() FROM generate_series(1, 20000) AS n;
INSERT INTO patchbay.integration_instances (id, organization_id, account_id, integration_id, name, fullname, provider, connector, status, status_since, config, refresh_token_id, created_at, updated_at)
    SELECT gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad(CASE WHEN n % 10 = 0 THEN '2' ELSE '1' END, 12, '0'))::uuid, ('00000000-0000-0000-0001-' || lpad(to_hex(n % 20000 + 1), 12, '0'))::uuid, '00000000-0000-0000-0000-00000000000d', 'i' || n, 'I', 'ticketing_' || n % 20, 'ticketing', CASE WHEN n % 100 = 1 THEN 'paused' ELSE 'active' END, now(), '{}', gen_random_uuid(), now() + n * interval '1 s', now() FROM generate_series(1, 100000) AS n;
INSERT INTO patchbay.audit_events (id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, account_id)
    SELECT gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad(CASE WHEN n % 10 = 0 THEN '2' ELSE '1' END, 12, '0'))::uuid, now() + n * interval '1 s', 'api', 'API', 'accounts.create', 'POST', '/', 201, '', '', '', ('00000000-0000-0000-0001-' || lpad(to_hex(n % 20000 + 1), 12, '0'))::uuid FROM generate_series(1, 40000) AS n;
ANALYZE;
";

async fn explained(tx: &mut Tx, sql: QueryBuilder) -> String {
    let rows: Vec<(String,)> = sql.build_query_as().fetch_all(tx).await.unwrap();
    rows.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n")
}

async fn plan(tx: &mut Tx, noun: &Noun, query: &ListQuery, account: Option<Uuid>, conditions: &[Condition<'_>]) -> String {
    let mut sql = QueryBuilder::new(Dialect::Postgres, "EXPLAIN SELECT ");
    Prepared::new(noun, query, ORGANIZATION, account, conditions).unwrap().push_page(&mut sql);
    explained(tx, sql).await
}

fn assert_indexed(plan: &str, index: &str) {
    assert!(plan.contains(&format!(" using {index} ")), "{index} is not used:\n{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "rows are sorted or scanned:\n{plan}");
    assert!(plan.contains("Index Cond: (organization_id = ") || plan.contains("Index Cond: ((organization_id = "), "the index is searched for its beginning:\n{plan}");
}

#[tokio::test]
async fn row_security_leaves_the_indexes_to_the_lists() {
    let database = Cluster::get().prepared(&crate::provisioning_script(LOGIN, None));
    database.psql(ADMINISTRATOR, FILL).unwrap();
    let url: PostgresUrl = database.url(MANAGEMENT_LOGIN).parse().unwrap();
    let address = PostgresAddress::of(&url.with_second_login(Some(database.url(SVC_LOGIN).parse().unwrap()))).unwrap();
    let server = Server::connect(&address).await.unwrap();
    let organization = OrganizationId::from_uuid(ORGANIZATION);
    let one = Uuid::parse_str("00000000-0000-0000-0001-000000000011").unwrap();
    let mut tx = server.read(Scope::Organization(organization)).await.unwrap();
    let tx = &mut tx;

    let query = |order: &[&str], filters: &[&str], start_after: Option<String>| ListQuery {
        orders: order.iter().map(|text| Order::parse(text).unwrap()).collect(),
        filters: filters.iter().map(|text| Filter::parse(text).unwrap()).collect(),
        start_after,
        limit: Some(100),
        ..ListQuery::default()
    };
    let id = Uuid::from_u128(7);
    for after in [None, Some(format!("i5,{id}"))] {
        let integrations = &crate::integrations::NOUN;
        for order in [&[][..], &["name[desc]"]] {
            assert_indexed(&plan(tx, integrations, &query(order, &[], after.clone()), None, &[]).await, "integration_instances_list");
            assert_indexed(&plan(tx, &crate::accounts::NOUN, &query(order, &[], after.clone()), None, &[]).await, "accounts_list");
        }
        assert_indexed(&plan(tx, integrations, &query(&[], &[], after.clone()), Some(one), &[]).await, "integration_instances_list_account");
        assert_indexed(&plan(tx, integrations, &query(&[], &["provider_type[eq]ticketing_3"], after.clone()), None, &[]).await, "integration_instances_provider");
        assert_indexed(&plan(tx, integrations, &query(&[], &["status[eq]paused"], after.clone()), None, &[]).await, "integration_instances_status");
    }
    for after in [None, Some(format!("2026-01-31T12:00:00.000000Z,{id}"))] {
        for order in ["created_at", "created_at[desc]"] {
            assert_indexed(&plan(tx, &crate::integrations::NOUN, &query(&[order], &[], after.clone()), None, &[]).await, "integration_instances_created");
            assert_indexed(&plan(tx, &crate::audit::NOUN, &query(&[order], &[], after.clone()), None, &[]).await, "audit_events_list");
        }
    }
    // A name is looked up, and not searched for in every row of the organization.
    let named = plan(tx, &crate::accounts::NOUN, &query(&[], &["name[eq]a77"], None), None, &[]).await;
    assert_indexed(&named, "accounts_list");
    assert!(named.contains("(name = "), "{named}");

    // Within one account no more than the account's rows are touched, also where a statement does not bind it.
    let mut within = server.read(Scope::Account(organization, AccountId::from_uuid(one))).await.unwrap();
    let within = &mut within;
    assert_indexed(&plan(within, &crate::integrations::NOUN, &query(&[], &[], None), Some(one), &[]).await, "integration_instances_list_account");
    let mut single = QueryBuilder::new(Dialect::Postgres, "EXPLAIN SELECT name FROM integration_instances WHERE id = ");
    single.push_bind(id);
    let single = explained(within, single).await;
    assert!(single.contains("using integration_instances_pkey ") && single.contains("Index Cond: (id = "), "{single}");
    let (rows,): (i64,) = db::query_as("SELECT count(*) FROM integration_instances").fetch_one(within).await.unwrap();
    assert!((1..=10).contains(&rows), "{rows} rows of the account");
}

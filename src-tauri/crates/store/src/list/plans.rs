//! Page N must cost what page 1 costs: the plans of the lists are held to an index that gives their order.

use sqlx::sqlite::SqlitePool;

use patchbay_model::list::{Filter, ListQuery, Order};
use uuid::Uuid;

use super::parts::Chosen;
use super::{Condition, Noun, Prepared};
use crate::db::{QueryBuilder, Tx};
use crate::dialect::Dialect;
use crate::file::transaction::FileTx;

async fn plan(noun: &Noun, query: &ListQuery, account: Option<Uuid>, conditions: &[Condition<'_>]) -> String {
    plan_of(Prepared::new(noun, query, Uuid::from_u128(1), account, conditions).unwrap()).await
}

async fn plan_of(list: Prepared<'_>) -> String {
    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    crate::file::MIGRATIONS.run(&pool).await.unwrap();
    let mut connection = Tx::Sqlite(FileTx::new(pool.acquire().await.unwrap(), "BEGIN"));
    let mut sql = QueryBuilder::new(Dialect::Sqlite, "EXPLAIN QUERY PLAN SELECT ");
    list.push_page(&mut sql);
    let rows: Vec<(i64, i64, i64, String)> = sql.build_query_as().fetch_all(&mut connection).await.unwrap();
    rows.into_iter().map(|(.., detail)| detail).collect::<Vec<_>>().join("; ")
}

fn query(order: &[&str], start_after: Option<String>) -> ListQuery {
    ListQuery { orders: order.iter().map(|text| Order::parse(text).unwrap()).collect(), start_after, ..ListQuery::default() }
}

fn assert_indexed(plan: &str, index: &str) {
    assert!(plan.contains(&format!("USING INDEX {index} ")), "{index} is not used: {plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "rows are sorted or scanned: {plan}");
}

#[tokio::test]
async fn default_orders_are_read_from_an_index() {
    let key = || Some(format!("some-name,{}", Uuid::from_u128(7)));
    let account = Some(Uuid::from_u128(2));
    for after in [None, key(), Some("some-name".to_owned())] {
        for (noun, index) in [
            (&crate::accounts::NOUN, "accounts_list"),
            (&crate::members::NOUN, "members_list"),
            (&crate::points::NOUN, "integration_points_list"),
            (&crate::provider_apps::NOUN, "provider_apps_list"),
            (&crate::webhooks::NOUN, "organization_webhooks_list"),
            (&crate::credentials::NOUN, "credentials_list"),
            (&crate::tokens::NOUN, "token_containers_list"),
            (&crate::integrations::NOUN, "integration_instances_list"),
            (&crate::roles::NOUN, "roles_list"),
            (&crate::webhooks::NOUN, "organization_webhooks_list"),
        ] {
            assert_indexed(&plan(noun, &query(&[], after.clone()), None, &[]).await, index);
            assert_indexed(&plan(noun, &query(&["name[desc]"], after.clone()), None, &[]).await, index);
        }
        assert_indexed(&plan(&crate::integrations::NOUN, &query(&[], after.clone()), account, &[]).await, "integration_instances_list_account");
        let of_account = |sql: &mut QueryBuilder| {
            sql.push("account_id = ").push_bind(Uuid::from_u128(2));
        };
        assert_indexed(&plan(&crate::integrations::NOUN, &query(&[], after.clone()), None, &[&of_account]).await, "integration_instances_list_account");
    }
    let key = format!("{},{}", Uuid::from_u128(5), Uuid::from_u128(7));
    for after in [None, Some(key)] {
        let plan = plan(&crate::status::NOUN, &query(&[], after), None, &[]).await;
        assert!(plan.contains("sqlite_autoindex_integration_instances"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN") && !plan.contains("MATERIALIZE"), "rows are sorted or scanned: {plan}");
    }
    let time = format!("2026-01-31T12:00:00.000000Z,{}", Uuid::from_u128(7));
    for after in [None, Some(time)] {
        for order in ["created_at", "created_at[desc]"] {
            assert_indexed(&plan(&crate::audit::NOUN, &query(&[order], after.clone()), None, &[]).await, "audit_events_list");
            assert_indexed(&plan(&crate::audit::NOUN, &query(&[order], after.clone()), account, &[]).await, "audit_events_account");
            assert_indexed(&plan(&crate::integrations::NOUN, &query(&[order], after.clone()), None, &[]).await, "integration_instances_created");
            let of_webhook = |sql: &mut QueryBuilder| {
                sql.push("webhook_id = ").push_bind(Uuid::from_u128(2));
            };
            assert_indexed(&plan(&crate::deliveries::NOUN, &query(&[order], after.clone()), None, &[&of_webhook]).await, "webhook_deliveries_list");
            let of_integration = |sql: &mut QueryBuilder| {
                sql.push("account_id = ").push_bind(Uuid::from_u128(2)).push(" AND integration_id = ").push_bind(Uuid::from_u128(3));
            };
            assert_indexed(&plan(&crate::status::EVENTS, &query(&[order], after.clone()), None, &[&of_integration]).await, "status_events_list");
        }
    }
}

#[tokio::test]
async fn the_filters_of_the_screens_are_read_from_an_index() {
    let id = Uuid::from_u128(3);
    let point = format!("integration_point_id[eq]{id}");
    for (filter, index) in [
        ("account_id[eq]0198c0de-0000-7000-8000-000000000000", "integration_instances_list_account"),
        ("status[eq]needs_attention", "integration_instances_status"),
        ("provider_type[eq]ticketing_jira", "integration_instances_provider"),
        (point.as_str(), "integration_instances_point"),
    ] {
        for after in [None, Some(format!("some-name,{id}"))] {
            let query = ListQuery { filters: vec![Filter::parse(filter).unwrap()], ..query(&[], after) };
            assert_indexed(&plan(&crate::integrations::NOUN, &query, None, &[]).await, index);
        }
    }
    for (filter, index) in
        [("member_id", "audit_events_member"), ("integration_id", "audit_events_integration"), ("account_id", "audit_events_account"), ("object_id", "audit_events_object")]
    {
        let query = ListQuery { filters: vec![Filter::parse(&format!("{filter}[eq]{id}")).unwrap()], ..query(&["created_at[desc]"], None) };
        assert_indexed(&plan(&crate::audit::NOUN, &query, None, &[]).await, index);
    }
    for (filter, index) in [("operation[eq]accounts.delete", "audit_events_operation"), ("audit_type[eq]ERROR", "audit_events_type")] {
        for order in ["created_at", "created_at[desc]"] {
            let query = ListQuery { filters: vec![Filter::parse(filter).unwrap()], ..query(&[order], None) };
            assert_indexed(&plan(&crate::audit::NOUN, &query, None, &[]).await, index);
        }
    }
}

/// The ways to read a list whose filters are on a part: for one parent, for few rows, for many.
fn ways(filter: &str, order: &[&str], after: Option<String>) -> [String; 3] {
    let query = ListQuery { filters: vec![Filter::parse(filter).unwrap()], ..query(order, after) };
    let list = || Prepared::new(&crate::integrations::NOUN, &query, Uuid::from_u128(1), None, &[]).unwrap();
    let way = |make: &dyn Fn(&mut Prepared<'_>) -> Chosen| {
        let mut list = list();
        let chosen = make(&mut list);
        list.chosen = vec![chosen];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(plan_of(list))
    };
    let part = |list: &mut Prepared<'_>| {
        let filters = std::mem::take(&mut list.filters);
        (filters.first().and_then(super::Readable::part).unwrap(), filters)
    };
    [
        way(&|list| Chosen::One(part(list).0, Uuid::from_u128(5))),
        way(&|list| Chosen::Few(part(list).0, vec![Uuid::from_u128(5), Uuid::from_u128(6)])),
        way(&|list| {
            let (part, filters) = part(list);
            Chosen::Many(part, filters)
        }),
    ]
}

#[test]
fn filters_on_parts_are_read_from_an_index_each_way() {
    for after in [None, Some(format!("some-name,{}", Uuid::from_u128(7)))] {
        for (filter, index, lookup) in [
            ("account.name[like]a%", "integration_instances_list_account", "sqlite_autoindex_accounts_1"),
            ("account.labels[eq]gold", "integration_instances_list_account", "sqlite_autoindex_accounts_1"),
            ("account.environment[eq]test", "integration_instances_list_account", "sqlite_autoindex_accounts_1"),
            ("integration_point.name[like]a%", "integration_instances_point", "sqlite_autoindex_integration_points_1"),
        ] {
            let [one, few, many] = ways(filter, &[], after.clone());
            assert_indexed(&one, index);
            assert!(few.contains("sqlite_autoindex_integration_instances_1 (id=?)") && few.contains(index), "few rows are looked up by their ids: {few}");
            assert!(
                many.contains("USING INDEX integration_instances_list ") && many.contains(lookup) && !many.contains("TEMP B-TREE"),
                "many rows are read in their order: {many}"
            );
        }
    }
}

#[tokio::test]
async fn the_name_of_an_account_orders_its_integrations() {
    let after = Some(format!("some-name,{}", Uuid::from_u128(7)));
    for order in ["account.name", "account.name[desc]"] {
        let plan = plan(&crate::integrations::NOUN, &query(&[order], after.clone()), None, &[]).await;
        let sought = if order.ends_with("[desc]") { "name<?" } else { "name>?" };
        assert!(plan.contains(&format!("SEARCH accounts USING INDEX accounts_list (organization_id=? AND {sought})")), "the page begins within the accounts: {plan}");
        assert!(plan.contains("SEARCH integration_instances USING INDEX") && plan.contains("(organization_id=? AND account_id=?)"), "{plan}");
        // What is sorted are the integrations of one account at a time.
        assert!(!plan.contains("USE TEMP B-TREE FOR ORDER BY") && !plan.contains("SCAN"), "{plan}");
    }
    // Behind another key it would have to be sorted by, whole.
    assert!(Prepared::new(&crate::integrations::NOUN, &query(&["name", "account.name"], None), Uuid::from_u128(1), None, &[]).is_err());
}

#[tokio::test]
async fn the_next_page_begins_within_the_index() {
    let after = Some(format!("some-name,{}", Uuid::from_u128(7)));
    let plan = plan(&crate::integrations::NOUN, &query(&[], after), None, &[]).await;
    assert!(plan.contains("(organization_id=? AND (name,id)>(?,?))"), "the key is not sought in the index: {plan}");
}

//! Lists: filters, orders, pages.

use std::cmp::Ordering;

use patchbay_model::account::Account;
use patchbay_model::list::{Direction, Filter, ListQuery, Order};
use patchbay_model::permission::{AccountSelector, IdOrAll, ResourceScope};
use patchbay_model::*;

use crate::place::*;

/// A small generator with a seed (xorshift), so that a failure comes back.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn query(filters: &[&str], orders: &[&str]) -> ListQuery {
    ListQuery {
        filters: filters.iter().map(|text| Filter::parse(text).unwrap()).collect(),
        orders: orders.iter().map(|text| Order::parse(text).unwrap()).collect(),
        total: true,
        ..ListQuery::default()
    }
}

/// Accounts for filtering, beside those of the fixture.
async fn fill(place: &Place) -> Vec<Account> {
    let mut tx = place.write().await;
    let mut accounts: Vec<Account> = place.ours.accounts.iter().map(|customer| customer.account.clone()).collect();
    for (number, (text, environment, labels)) in [
        ("demo_a", Environment::Test, &["gold", "eu"][..]),
        ("demo-b", Environment::Prod, &["gold"]),
        ("demoxc", Environment::Prod, &[]),
        ("50%-off", Environment::Prod, &["a.b:c"]),
        ("back\\slash", Environment::Test, &["us"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut account = account(place.ours.organization.id, text);
        account.environment = environment;
        account.labels = labels.iter().map(|label| Label::parse(label).unwrap()).collect();
        account.created_at = time(10 + i64::try_from(number).unwrap());
        tx.insert_account(&account).await.unwrap();
        accounts.push(account);
    }
    tx.commit().await.unwrap();
    accounts
}

#[tokio::test]
async fn filters_choose_what_they_say() {
    on_every_backend(async |place| {
        let accounts = fill(place).await;
        let demo_a = &accounts[2];
        let by_id = format!("id[eq]{}", demo_a.id);
        let cases: &[(&[&str], &[&str])] = &[
            (&["name[eq]demo_a"], &["demo_a"]),
            (&["name[eq]DEMO_A"], &["demo_a"]),
            (&["name[ne]demo_a", "name[neq]one", "name[like]*"], &["50%-off", "back\\slash", "demo-b", "demoxc", "two"]),
            (&["name[in]one,\"two\",three"], &["one", "two"]),
            (&["name[not in]one,two", "environment[eq]test"], &["back\\slash", "demo_a"]),
            (&["name[like]demo_*"], &["demo_a"]),
            (&["name[like]demo%"], &["demo-b", "demo_a", "demoxc"]),
            (&["name[like]*o*"], &["50%-off", "demo-b", "demo_a", "demoxc", "one", "two"]),
            (&["name[like]back\\*"], &["back\\slash"]),
            (&["name[like]o%e"], &["one"]),
            (&["name[not like]demo*", "environment[eq]prod"], &["50%-off"]),
            (&["name[gt]demo_a"], &["demoxc", "one", "two"]),
            (&["name[gte]one"], &["one", "two"]),
            (&["name[lt]back"], &["50%-off"]),
            (&["name[lte]back\\slash"], &["50%-off", "back\\slash"]),
            (&["labels[eq]gold"], &["demo-b", "demo_a"]),
            (&["labels[eq]gold", "labels[eq]eu"], &["demo_a"]),
            (&["labels[in]eu,us"], &["back\\slash", "demo_a"]),
            (&["labels[ne]gold", "environment[eq]prod"], &["50%-off", "demoxc"]),
            (&["labels[not in]gold,us", "environment[eq]test"], &["one", "two"]),
            (&["labels[like]a.*"], &["50%-off"]),
            (&["labels[not like]g*", "environment[eq]prod"], &["50%-off", "demoxc"]),
            (&[by_id.as_str()], &["demo_a"]),
            (&["created_at[gt]2026-09-21T14:13:30Z", "created_at[lte]2026-09-21T14:13:33.000000Z"], &["50%-off", "demo-b", "demoxc"]),
            (&["fullname[like]Demo*,*"], &["demo-b", "demo_a", "demoxc"]),
            (&["name[eq]' OR 1=1 --"], &[]),
        ];
        let mut tx = place.store.read(place.ours.scope()).await.unwrap();
        for (filters, expected) in cases {
            let listed = tx.accounts(&query(filters, &[])).await.unwrap();
            let found: Vec<&str> = listed.items.iter().map(|account| account.name.as_str()).collect();
            assert_eq!(&found, expected, "{filters:?}");
            assert_eq!(listed.total, Some(u64::try_from(expected.len()).unwrap()), "total of {filters:?}");
        }
        let problem = |error: patchbay_store::StoreError| Problem::from(error);
        for (filter, code) in [
            ("nonsense[eq]x", Code::InvalidFilter),
            ("created_at[gt]yesterday", Code::InvalidFilter),
            ("id[eq]one", Code::InvalidFilter),
            ("id[like]x*", Code::InvalidFilter),
            ("labels[gt]x", Code::InvalidFilter),
        ] {
            let found = problem(tx.accounts(&query(&[filter], &[])).await.unwrap_err());
            assert_eq!(found.code, code, "{filter}: {}", found.message);
        }
        let unknown = problem(tx.accounts(&query(&["nonsense[eq]x"], &[])).await.unwrap_err());
        assert!(unknown.message.contains("labels") && unknown.message.contains("external_id"), "the allowed fields are named: {}", unknown.message);
        assert_eq!(problem(tx.accounts(&query(&[], &["nonsense"])).await.unwrap_err()).code, Code::InvalidOrder);
        assert_eq!(problem(tx.accounts(&query(&[], &["labels"])).await.unwrap_err()).code, Code::InvalidOrder);
        let cursor = ListQuery { start_after: Some("noon".to_owned()), ..query(&[], &["created_at"]) };
        assert_eq!(problem(tx.accounts(&cursor).await.unwrap_err()).code, Code::InvalidCursor);
    })
    .await;
}

#[tokio::test]
async fn a_missing_value_is_unlike_everything() {
    on_every_backend(async |place| {
        let mut tx = place.write().await;
        let account = &place.ours.accounts[0].account;
        let mut free = integration(account, &place.definition, "free");
        free.integration_point_id = None;
        tx.insert_integration(&free).await.unwrap();
        let point = place.ours.point.id;
        let names = |listed: patchbay_model::list::Listed<integration::Integration>| listed.items.into_iter().map(|row| row.name.to_string()).collect::<Vec<_>>();
        let of = Some(account.id);
        assert_eq!(names(tx.integrations(of, &query(&[&format!("integration_point_id[eq]{point}")], &[])).await.unwrap()), ["tickets"]);
        assert_eq!(names(tx.integrations(of, &query(&[&format!("integration_point_id[ne]{point}")], &[])).await.unwrap()), ["free"]);
        assert_eq!(names(tx.integrations(of, &query(&[&format!("integration_point_id[not in]{point},{point}")], &[])).await.unwrap()), ["free"]);
        assert_eq!(names(tx.integrations(of, &query(&[], &["integration_point_id"])).await.unwrap()), ["free", "tickets"], "a missing value comes first");
        assert_eq!(
            names(tx.integrations(of, &query(&["status[eq]active", "provider_type[like]ticketing_*", "category[eq]ticketing"], &["last_used_at[desc]", "name"])).await.unwrap()),
            ["free", "tickets"]
        );
    })
    .await;
}

fn accounts_of(accounts: AccountSelector) -> ResourceScope {
    ResourceScope { accounts: Some(accounts), ..ResourceScope::default() }
}

#[tokio::test]
async fn a_token_with_a_resource_scope_pages_through_its_accounts_alone() {
    on_every_backend(async |place| {
        let accounts = fill(place).await;
        let names = |listed: patchbay_model::list::Listed<Account>| listed.items.into_iter().map(|row| row.name.to_string()).collect::<Vec<_>>();
        let mut tx = place.store.read(place.ours.scope()).await.unwrap();
        tx.narrow_lists(Some(vec![accounts_of(AccountSelector { ids: None, labels: Some(vec![Label::parse("gold").unwrap()]), environments: None })]));
        assert_eq!(names(tx.accounts(&query(&[], &[])).await.unwrap()), ["demo-b", "demo_a"]);
        assert_eq!(tx.accounts(&query(&[], &[])).await.unwrap().total, Some(2));
        assert_eq!(tx.integrations(None, &query(&[], &[])).await.unwrap().total, Some(0));
        tx.narrow_lists(Some(vec![accounts_of(AccountSelector { ids: Some(vec![IdOrAll::Id(accounts[0].id)]), labels: None, environments: Some(vec![Environment::Test]) })]));
        assert_eq!(names(tx.accounts(&query(&[], &[])).await.unwrap()), ["one"]);
        assert_eq!(tx.integrations(None, &query(&[], &[])).await.unwrap().total, Some(1));
        assert_eq!(tx.audit_events(&query(&[], &[])).await.unwrap().total, Some(1));
        tx.narrow_lists(Some(vec![accounts_of(AccountSelector { ids: Some(Vec::new()), labels: None, environments: None })]));
        assert_eq!(tx.accounts(&query(&[], &[])).await.unwrap().total, Some(0), "no ids mean no accounts");
        tx.narrow_lists(Some(vec![accounts_of(AccountSelector { ids: Some(vec![IdOrAll::All]), labels: None, environments: None })]));
        assert_eq!(tx.accounts(&query(&[], &[])).await.unwrap().total, Some(7));
    })
    .await;
}

/// Walks through all pages and gives the rows in the order in which they came.
async fn walk(place: &Place, orders: &[&str], limit: u32) -> Vec<integration::Integration> {
    let mut rows = Vec::new();
    let mut start_after = None;
    loop {
        let mut tx = place.store.read(place.ours.scope()).await.unwrap();
        let listed = tx.integrations(None, &ListQuery { limit: Some(limit), start_after, ..query(&[], orders) }).await.unwrap();
        assert!(listed.items.len() <= usize::try_from(limit).unwrap());
        rows.extend(listed.items);
        match listed.next {
            Some(next) => start_after = Some(next),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn pages_never_skip_or_repeat_rows_with_equal_keys() {
    on_every_backend(async |place| {
        let mut dice = Dice(0x5eed);
        let mut tx = place.write().await;
        let mut expected: Vec<integration::Integration> = place.ours.accounts.iter().map(|customer| customer.integration.clone()).collect();
        for number in 0..120 {
            let account = account(place.ours.organization.id, &format!("customer-{number}"));
            tx.insert_account(&account).await.unwrap();
            // Few different names, fullnames with commas and per cent signs, times that often are equal or missing.
            let mut row = integration(&account, &place.definition, ["jira", "redmine", "tickets"][usize::try_from(dice.roll(3)).unwrap()]);
            row.fullname = fullname(["A, B & 100%", "A,", "%2C", "Ä"][usize::try_from(dice.roll(4)).unwrap()]);
            row.last_used_at = (dice.roll(3) > 0).then(|| time(i64::try_from(dice.roll(3)).unwrap()));
            row.created_at = time(i64::try_from(dice.roll(4)).unwrap());
            row.integration_point_id = (dice.roll(2) > 0).then_some(place.ours.point.id);
            tx.insert_integration(&row).await.unwrap();
            expected.push(row);
        }
        tx.commit().await.unwrap();

        for orders in [
            &[][..],
            &["name"],
            &["name[desc]"],
            &["last_used_at"],
            &["last_used_at[desc]"],
            &["integration_point_id[desc]"],
            &["name", "last_used_at"],
            &["name", "last_used_at[desc]"],
            &["fullname[desc]", "name", "created_at[desc]"],
            &["fullname", "integration_point_id", "last_used_at"],
            &["name", "name[desc]"],
        ] {
            let mut sorted = expected.clone();
            sorted.sort_by(|a, b| compare(a, b, orders));
            for limit in [1, 7, 50, 1000] {
                let found: Vec<IntegrationId> = walk(place, orders, limit).await.iter().map(|row| row.id).collect();
                let wanted: Vec<IntegrationId> = sorted.iter().map(|row| row.id).collect();
                assert_eq!(found, wanted, "{orders:?} by {limit}");
            }
        }
    })
    .await;
}

/// What the orders mean, written down a second time.
fn compare(a: &integration::Integration, b: &integration::Integration, orders: &[&str]) -> Ordering {
    let mut orders: Vec<Order> = orders.iter().map(|text| Order::parse(text).unwrap()).collect();
    if orders.is_empty() {
        orders.push(Order::parse("name").unwrap());
    }
    let mut last = Direction::Asc;
    let mut seen: Vec<String> = Vec::new();
    let turned = |direction: Direction, ordering: Ordering| if direction == Direction::Desc { ordering.reverse() } else { ordering };
    for order in &orders {
        if seen.contains(&order.field) {
            continue;
        }
        seen.push(order.field.clone());
        last = order.direction;
        let ordering = match order.field.as_str() {
            "name" => a.name.cmp(&b.name),
            "fullname" => a.fullname.as_str().cmp(b.fullname.as_str()),
            "last_used_at" => a.last_used_at.cmp(&b.last_used_at),
            "created_at" => a.created_at.cmp(&b.created_at),
            "integration_point_id" => a.integration_point_id.cmp(&b.integration_point_id),
            other => panic!("{other} is not compared here"),
        };
        if ordering != Ordering::Equal {
            return turned(order.direction, ordering);
        }
    }
    turned(last, a.id.cmp(&b.id))
}

#[tokio::test]
async fn a_bare_key_begins_behind_it() {
    on_every_backend(async |place| {
        fill(place).await;
        let mut tx = place.store.read(place.ours.scope()).await.unwrap();
        let mut names = Vec::new();
        let mut start_after: Option<String> = None;
        loop {
            let listed = tx.accounts(&ListQuery { limit: Some(2), start_after: start_after.clone(), ..ListQuery::default() }).await.unwrap();
            let Some(last) = listed.items.last() else { break };
            start_after = Some(last.name.to_string());
            names.extend(listed.items.iter().map(|row| row.name.to_string()));
        }
        assert_eq!(names, ["50%-off", "back\\slash", "demo-b", "demo_a", "demoxc", "one", "two"], "as the SDK pages");
        let after_comma = ListQuery { start_after: Some("demo_a, Ltd.".to_owned()), ..query(&[], &["fullname"]) };
        assert_eq!(tx.accounts(&after_comma).await.unwrap().items.len(), 3, "a key may hold a comma");
        let audit = tx.audit_events(&ListQuery { start_after: Some(time(0).to_string()), ..ListQuery::default() }).await.unwrap();
        assert_eq!(audit.items.len(), 2);
        let status = query(&["code[gte]200", "code[lt]300"], &["code[desc]", "created_at"]);
        assert_eq!(tx.audit_events(&status).await.unwrap().total, Some(2));
    })
    .await;
}

#[tokio::test]
async fn rows_that_come_and_go_shift_no_page() {
    on_every_backend(async |place| {
        fill(place).await;
        let page = |start_after: Option<String>| ListQuery { limit: Some(2), start_after, ..ListQuery::default() };
        let mut tx = place.write().await;
        let first = tx.accounts(&page(None)).await.unwrap();
        tx.insert_account(&account(place.ours.organization.id, "aaa")).await.unwrap();
        tx.delete_account(first.items[1].id, DeletionId::from_uuid(uuid()), time(1)).await.unwrap();
        let second = tx.accounts(&page(first.next)).await.unwrap();
        let names: Vec<&str> = second.items.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["demo-b", "demo_a"], "even when the last row seen is gone");
    })
    .await;
}

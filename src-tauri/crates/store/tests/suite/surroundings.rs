//! What `doctor` tells of a database.

use std::time::Duration;

use patchbay_model::PostgresUrl;
use patchbay_store::{PostgresAddress, Remark, Store, Weight};
use patchbay_vault::system_context;

use crate::cluster::{ADMINISTRATOR, Database, LOGIN, MANAGEMENT_LOGIN, SVC_LOGIN};
use crate::place::{Directory, empty_store};
use crate::provisioning::prepared;

async fn remarks(database: &Database, first: &str, second: Option<&str>) -> Vec<Remark> {
    let url: PostgresUrl = database.url(first).parse().unwrap();
    let store = Store::connect(&PostgresAddress::of(&url.with_second_login(second.map(|second| database.url(second).parse().unwrap()))).unwrap()).await.unwrap();
    let remarks = store.remarks(|| system_context().now()).await.unwrap();
    store.close().await;
    remarks
}

fn about<'a>(remarks: &'a [Remark], subject: &str) -> (Weight, &'a str) {
    let found = remarks.iter().find(|remark| remark.subject == subject).unwrap();
    (found.weight, &found.words)
}

#[tokio::test]
async fn separation_is_told_as_it_is() {
    let database = prepared();
    let apart = remarks(&database, MANAGEMENT_LOGIN, Some(SVC_LOGIN)).await;
    let (weight, words) = about(&apart, "separation");
    assert!(weight == Weight::Good && words.contains("neither can become the other"), "{words}");
    assert_eq!(about(&apart, "transport").0, Weight::Good);
    let one = remarks(&database, LOGIN, None).await;
    let (weight, words) = about(&one, "separation");
    assert!(weight == Weight::Note && words.contains("no separation by login") && words.contains("--store-svc"), "{words}");
    let half = remarks(&database, LOGIN, Some(SVC_LOGIN)).await;
    assert!(matches!(about(&half, "separation"), (Weight::Bad, words) if words.contains("REVOKE svc_integration FROM \"patchbay_test\"")), "{half:?}");
    let above = remarks(&database, ADMINISTRATOR, None).await;
    assert!(matches!(about(&above, "separation"), (Weight::Bad, words) if words.contains("superuser")), "{above:?}");
    let directory = Directory::new();
    assert_eq!(empty_store(&directory).await.remarks(|| system_context().now()).await.unwrap(), [], "nothing is said of a file");
}

#[tokio::test]
async fn a_log_that_would_hold_the_key_is_told() {
    let database = prepared();
    // What provisioning set goes with the template's settings, which copies do not have.
    for (settings, expected) in [("log_parameter_max_length = 0", Weight::Good), ("log_parameter_max_length = -1", Weight::Note), ("log_statement = 'all'", Weight::Bad)] {
        database.psql(ADMINISTRATOR, &format!("ALTER DATABASE \"{}\" SET {settings}", database.name)).unwrap();
        let found = remarks(&database, LOGIN, None).await;
        let (weight, words) = about(&found, "parameters");
        assert_eq!(weight, expected, "{settings}: {words}");
        assert!(weight == Weight::Good || words.contains("SET log_parameter_max_length = 0"), "{words}");
    }
}

#[tokio::test]
async fn what_a_crash_would_lose_and_what_is_missing_is_told() {
    let database = prepared();
    let found = remarks(&database, MANAGEMENT_LOGIN, Some(SVC_LOGIN)).await;
    // The server of these tests is fast, and nobody's store.
    let (weight, words) = about(&found, "durability");
    assert!(weight == Weight::Bad && words.contains("fsync, full_page_writes, synchronous_commit"), "{words}");
    assert_eq!((about(&found, "database").0, about(&found, "database clock").0), (Weight::Good, Weight::Good), "{found:?}");
    assert!(found.iter().all(|remark| remark.subject != "primary"), "{found:?}");

    database.psql(ADMINISTRATOR, &format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", database.name)).unwrap();
    database.psql(ADMINISTRATOR, "SET default_transaction_read_only = off; DROP EXTENSION pgcrypto CASCADE").unwrap();
    let found = remarks(&database, MANAGEMENT_LOGIN, Some(SVC_LOGIN)).await;
    assert!(matches!(about(&found, "primary"), (Weight::Bad, words) if words.contains("RESET default_transaction_read_only")), "{found:?}");
    assert!(matches!(about(&found, "database"), (Weight::Bad, words) if words.contains("CREATE EXTENSION pgcrypto")), "{found:?}");
}

#[tokio::test]
async fn a_clock_that_is_not_the_servers_is_told() {
    let database = prepared();
    let url: PostgresUrl = database.url(LOGIN).parse().unwrap();
    let store = Store::connect(&PostgresAddress::of(&url).unwrap()).await.unwrap();
    // Both have one clock here; what is asked for it says something else.
    for (ours, weight) in [(120, Weight::Note), (7200, Weight::Bad)] {
        let found = store.remarks(|| system_context().now().plus(Duration::from_secs(ours))).await.unwrap();
        let (told, words) = about(&found, "database clock");
        assert!(told == weight && words.contains(" s behind that"), "{words}");
    }
    store.close().await;
}

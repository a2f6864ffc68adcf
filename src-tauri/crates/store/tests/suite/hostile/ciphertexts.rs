//! Ciphertexts taken out of their rows, and the key that they lie under.

use super::*;

#[tokio::test]
async fn a_ciphertext_that_is_moved_to_another_row_does_not_open() {
    let place = Place::new(Backend::Postgres).await;
    let (one, two) = (&place.ours.accounts[0], &place.ours.accounts[1]);
    let organization = place.ours.organization.id;
    let (vault, _) = Vault::create(&MasterKey::generate(&OsEntropy), Uuid::from_u128(1), SourceKind::Env, None, &system_context()).unwrap();
    let aad = |customer: &crate::place::Customer| Aad::new(organization, Some(customer.account.id), "integration_instances", customer.integration.id.uuid());
    let sealed = vault.seal(&aad(one), &Secret::new("hunter2"), &OsEntropy).unwrap();
    let SealedAt::Integration(_) = one.credential.sealed_at else { panic!("the fixture's own credential lies with its integration") };
    let mut tx = place.write().await;
    tx.set_sealed_integration(one.integration.id, Some(&sealed)).await.unwrap();
    tx.commit().await.unwrap();
    // As the role that may read and write it, past everything that the program would look at.
    let mut connection = connect(place.database.as_ref().unwrap(), SVC_LOGIN).await;
    let mut moved = connection.begin().await.unwrap();
    let sql = format!(
        "{}; UPDATE patchbay.integration_instances SET credentials = (SELECT credentials FROM patchbay.integration_instances WHERE id = '{}') WHERE id = '{}'",
        scope(organization, None),
        one.integration.id,
        two.integration.id
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *moved).await.unwrap();
    moved.commit().await.unwrap();
    let read = async |customer: &crate::place::Customer| -> Envelope {
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        tx.secrets().sealed_integration(customer.integration.id).await.unwrap().unwrap()
    };
    assert_eq!(vault.open(&aad(one), &read(one).await).unwrap().expose(), "hunter2");
    let there = read(two).await;
    assert_eq!(there, sealed, "the database did move it");
    assert_eq!(vault.open(&aad(two), &there).err().map(|problem| problem.code), Some(Code::SealBroken));
    // What lies in the column is no envelope either: it is that under the database key.
    let (lying,): (String,) = sqlx::query_as(AssertSqlSafe(format!("SELECT credentials ->> 'ct' FROM patchbay.integration_instances WHERE id = '{}'", one.integration.id)))
        .fetch_one(&mut connect(place.database.as_ref().unwrap(), ADMINISTRATOR).await)
        .await
        .unwrap();
    assert_ne!(lying, sealed.ct);
    assert!(!lying.contains('\n') && lying.len() > sealed.ct.len());
}

#[tokio::test]
async fn the_database_key_is_nowhere_in_the_database() {
    let place = Place::new(Backend::Postgres).await;
    let database = place.database.as_ref().unwrap();
    let key = "a key that nobody must ever see";
    let ours = scope(place.ours.organization.id, None);
    let mut user = connect(database, SVC_LOGIN).await;
    let mut tx = user.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(ours.clone())).execute(&mut *tx).await.unwrap();
    // A statement with the key as a parameter, which works, and one that fails.
    sqlx::query("UPDATE patchbay.integration_instances SET credentials = jsonb_build_object('v', 1, 'key_id', 'k', 'ct', patchbay.sealed('\\x00'::bytea, $1))")
        .bind(key)
        .execute(&mut *tx)
        .await
        .unwrap();
    for (who, mut connection) in sessions(&place, SVC).await.into_iter().chain(sessions(&place, MANAGEMENT).await) {
        assert_eq!(
            tried(&mut connection, &ours, &format!("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%{}%' AND pid <> pg_backend_pid()", &key[..12])).await.unwrap(),
            0,
            "{who} sees it at work"
        );
        for setting in ["patchbay.database_key", "patchbay.key"] {
            let sql = format!("SELECT 1 WHERE coalesce(current_setting('{setting}', true), '') <> ''");
            assert_eq!(tried(&mut connection, &ours, &sql).await.unwrap(), 0, "{who}: {setting}");
        }
        if who.contains("svc") {
            let guess = tried(&mut connection, &ours, "SELECT patchbay.opened(credentials ->> 'ct', 'guess') FROM patchbay.integration_instances WHERE credentials IS NOT NULL")
                .await
                .unwrap_err();
            assert_eq!(guess.code, "39000", "{who}: {}", guess.words);
        }
    }
    let wrong = sqlx::query("SELECT patchbay.opened(credentials ->> 'ct', $1), 1 / 0 FROM patchbay.integration_instances WHERE credentials IS NOT NULL")
        .bind(format!("{key} and more"))
        .fetch_all(&mut *tx)
        .await;
    assert!(wrong.is_err_and(|error| !format!("{error:?}").contains(key)));
    drop(tx);
    assert!(!Cluster::get().log().contains(&key[..12]), "the server wrote it into its log");
    let tables = names(&place, "SELECT relname::text FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind = 'r'").await;
    for table in tables {
        let found = database
            .psql(ADMINISTRATOR, &format!("SELECT count(*) FROM patchbay.{table} AS one WHERE one::text LIKE '%{}%' OR one::text LIKE '%the key of the suite%'", &key[..12]))
            .unwrap();
        assert_eq!(found, "0", "{table} holds the key");
    }
}
